// Who is signed in and what they may do. One for the page; filled by the router's guard before the first view.
import { computed, reactive } from 'vue'
import { api, ask, connectSession } from './api/client'
import { ProblemError } from './api/problem'
import type { Session } from './api/types'

interface State {
  current: Session | null
  loaded: boolean
}
const state = reactive<State>({ current: null, loaded: false })
let onExpired: () => void = () => undefined

export const session = {
  get current(): Session | null {
    return state.current
  },
  get loaded(): boolean {
    return state.loaded
  },
  /** Asks the service once; a missing session is an answer, an unreachable service is thrown. */
  async load(): Promise<void> {
    try {
      state.current = await ask(api.GET('/session'))
    } catch (error) {
      if (!(error instanceof ProblemError) || error.status !== 401) throw error
      state.current = null
    }
    state.loaded = true
  },
  take(next: Session | null): void {
    state.current = next
    state.loaded = true
  },
  async signOut(): Promise<void> {
    await ask(api.DELETE('/session'))
    state.current = null
  },
  /** The router's: where to go when the service no longer knows the session. */
  whenExpired(action: () => void): void {
    onExpired = action
  },
}

connectSession({
  csrfToken: () => state.current?.csrf_token ?? null,
  expired: () => {
    if (!state.current) return
    state.current = null
    onExpired()
  },
})

/** Whether the caller's role allows it; reactive. */
export function can(permission: string | undefined): boolean {
  return !permission || (state.current?.permissions.includes(permission) ?? false)
}

export const user = computed(() => state.current?.user ?? null)
