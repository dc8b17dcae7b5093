// The page's Uploader, one for each account that signs in: it goes on while other pages are shown.
import { api, ask } from '@/shared/api/client'
import { session, user } from '@/shared/session'
import { ProblemError } from '@/shared/api/problem'
import { Uploader, browserMemory, type Upload, type UploadApi } from './uploader'

const calls: UploadApi = {
  begin: (what, key) => ask(api.POST('/uploads', { params: { header: { 'Idempotency-Key': key } }, body: what })),
  get: (id) => ask(api.GET('/uploads/{id}', { params: { path: { id } } })),
  // By fetch itself: the body is bytes, not JSON.
  async put(id, offset, part, signal) {
    let answer: Response
    try {
      answer = await fetch(`/api/v1/uploads/${id}?offset=${offset}`, {
        method: 'PATCH',
        body: part,
        signal,
        credentials: 'same-origin',
        headers: { 'Content-Type': 'application/octet-stream', 'X-CSRF-Token': session.current?.csrf_token ?? '' },
      })
    } catch (error) {
      throw error instanceof DOMException && error.name === 'AbortError' ? error : ProblemError.unreachable()
    }
    const body: unknown = await answer.json().catch(() => null)
    if (answer.ok) return body as Upload
    if (body && typeof body === 'object' && 'code' in body) throw new ProblemError(body as ProblemError['problem'])
    throw new ProblemError({ type: 'about:blank', title: '', status: answer.status, code: `HTTP-${answer.status}` })
  },
  drop: async (id) => void (await ask(api.DELETE('/uploads/{id}', { params: { path: { id } } }))),
}

let current: { account: string; uploader: Uploader } | null = null

export function pageUploader(): Uploader {
  const account = user.value?.account ?? ''
  if (current?.account !== account) {
    current = { account, uploader: new Uploader(calls, browserMemory(account)) }
    void current.uploader.restore()
    window.addEventListener('beforeunload', warn)
  }
  return current.uploader
}

// The browser asks whether somebody really wants to leave while bytes are on their way.
function warn(event: BeforeUnloadEvent): void {
  if (current?.uploader.busy) event.preventDefault()
}
