// Calls of the service, typed by the contract. One place adds the CSRF token, turns refusals into ProblemError
// and tells the session when the service no longer knows it.
import createClient, { type Middleware } from 'openapi-fetch'
import { locale } from '@/i18n'
import { ProblemError, type Problem } from './problem'
import type { paths } from './schema.gen'

interface SessionPort {
  csrfToken(): string | null
  expired(): void
}
let session: SessionPort = { csrfToken: () => null, expired: () => undefined }

/** Called once at start; keeps this file free of what holds the session. */
export function connectSession(port: SessionPort): void {
  session = port
}

const guard: Middleware = {
  onRequest({ request }) {
    request.headers.set('Accept-Language', locale.value)
    const token = session.csrfToken()
    if (token && request.method !== 'GET') request.headers.set('X-CSRF-Token', token)
    return request
  },
  onResponse({ request, response }) {
    const signingIn = request.method === 'POST' && new URL(request.url).pathname.endsWith('/session')
    if (response.status === 401 && !signingIn) session.expired()
    return response
  },
}

export const api = createClient<paths>({ baseUrl: '/api/v1', credentials: 'same-origin' })
api.use(guard)

interface Answer<T> {
  data?: T
  error?: unknown
  response: Response
}

/** The data of an answer, or a thrown ProblemError: `const home = await ask(api.GET('/home', …))`. */
export async function ask<T>(call: Promise<Answer<T>>): Promise<T> {
  return (await askWhole(call)).data
}

/** As ask(), with the response for its headers (ETag). */
export async function askWhole<T>(call: Promise<Answer<T>>): Promise<{ data: T; response: Response }> {
  let answer: Answer<T>
  try {
    answer = await call
  } catch (error) {
    throw error instanceof DOMException && error.name === 'AbortError' ? error : ProblemError.unreachable()
  }
  if (!answer.response.ok) throw new ProblemError(asProblem(answer.error, answer.response.status))
  return { data: answer.data as T, response: answer.response }
}

function asProblem(body: unknown, status: number): Problem {
  if (typeof body === 'object' && body !== null && 'code' in body) return body as Problem
  return { type: 'about:blank', title: '', status, code: `HTTP-${status}` }
}

/** A key for a POST that makes something: the same for a repeated try of the same deed. */
export function idempotencyKey(): string {
  return crypto.randomUUID()
}

/** The address of an answer that the browser downloads by itself. */
export function fileUrl(path: string, query: Record<string, string | number | undefined | null> = {}): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== null && value !== '') search.set(name, String(value))
  const text = search.toString()
  return `/api/v1${path}${text ? `?${text}` : ''}`
}
