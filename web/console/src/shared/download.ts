// A small file of the service saved under its own name; a refusal becomes a ProblemError instead of a broken file.
// For what may be large, link to fileUrl() and let the browser fetch it.
import { locale } from '@/i18n'
import { api, ask, fileUrl } from './api/client'
import { ProblemError, type Problem } from './api/problem'

export async function download(path: string, query: Record<string, string | number | undefined | null>, name: string): Promise<void> {
  let response: Response
  try {
    response = await fetch(fileUrl(path, query), { credentials: 'same-origin', headers: { 'Accept-Language': locale.value } })
  } catch {
    throw ProblemError.unreachable()
  }
  if (response.status === 401) await ask(api.GET('/session'))
  if (!response.ok) {
    const body: unknown = await response.json().catch(() => null)
    throw new ProblemError((body as Problem | null) ?? { type: 'about:blank', title: '', status: response.status, code: `HTTP-${response.status}` })
  }
  const address = URL.createObjectURL(await response.blob())
  const link = document.createElement('a')
  link.href = address
  link.download = fileName(response.headers.get('Content-Disposition')) ?? name
  link.click()
  setTimeout(() => URL.revokeObjectURL(address), 1000)
}

/** The name in a Content-Disposition, the UTF-8 form first. */
export function fileName(header: string | null): string | null {
  if (!header) return null
  const extended = /filename\*=UTF-8''([^;]+)/i.exec(header)?.[1]
  if (extended) {
    try {
      return decodeURIComponent(extended)
    } catch {
      return null
    }
  }
  return /filename="([^"]+)"/i.exec(header)?.[1] ?? null
}
