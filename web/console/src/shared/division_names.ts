// Names of divisions that an answer only gives as codes. Counties and cities are asked for once by
// their parent, so that a table of fifty rows costs a request or two, and kept while the page lives.
import { reactive, watchEffect } from 'vue'
import { api, ask } from './api/client'

const names = reactive(new Map<string, string>())
const asked = new Set<string>()

// "330102" → "330100", "330100" → "330000"; none for a province.
export function parentOf(code: string): string | null {
  if (/^\d{2}0000$/.test(code)) return null
  if (/^\d{4}00$/.test(code)) return `${code.slice(0, 2)}0000`
  if (code.length === 6) return `${code.slice(0, 4)}00`
  if (code.length === 9) return code.slice(0, 6)
  if (code.length === 12) return code.slice(0, 9)
  return null
}

async function askFor(key: string, read: () => Promise<{ code: string; name: string }[]>): Promise<void> {
  if (asked.has(key)) return
  asked.add(key)
  try {
    for (const each of await read()) names.set(each.code, each.name)
  } catch {
    asked.delete(key) // the code is shown; the next page asks again
  }
}

/** The name of a division, its code until the name is there. Reactive. */
export function divisionName(code: string | number | boolean | null | undefined): string {
  if (code === null || code === undefined || code === '') return '—'
  return names.get(String(code)) ?? String(code)
}

/** Sees to it that the names of these codes become known. */
export function useDivisionNames(codes: () => (string | number | boolean | null | undefined)[]): void {
  watchEffect(() => {
    for (const each of new Set(codes())) {
      const code = String(each ?? '')
      if (!/^(\d{6}|\d{9}|\d{12})$/.test(code) || names.has(code)) continue
      const parent = parentOf(code)
      if (code.length === 6 && parent) void askFor(parent, async () => (await ask(api.GET('/divisions', { params: { query: { parent, limit: 200 } } }))).items)
      else void askFor(code, async () => [await ask(api.GET('/divisions/{code}', { params: { path: { code } } }))])
    }
  })
}
