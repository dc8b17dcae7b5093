import 'vue-router'
import type { MessageKey } from '@/i18n'

declare module 'vue-router' {
  interface RouteMeta {
    /** What the caller's role must allow; without one any signed-in user may come here. */
    permission?: string
    /** Reached without a session. */
    public?: boolean
    title?: MessageKey
  }
}
