// Clear values on the page: for one minute, until hidden, or until the page is left, whichever comes
// first. Nothing of them is kept anywhere else.
import { computed, onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue'
import { onBeforeRouteLeave } from 'vue-router'
import { api, ask } from '@/shared/api/client'
import type { Clear } from './types'

export const SHOWN_SECONDS = 60

export function useReveal(key: Ref<string>) {
  const clear = shallowRef<Clear | null>(null)
  const left = ref(0)
  let until = 0
  let timer: ReturnType<typeof setInterval> | undefined

  function hide(): void {
    clear.value = null
    left.value = 0
    clearInterval(timer)
  }

  async function reveal(purpose: string): Promise<void> {
    const who = key.value
    const answer = await ask(api.POST('/persons/{key}/reveal', { params: { path: { key: who } }, body: { purpose } }))
    if (key.value !== who) return // the page shows somebody else by now
    clear.value = answer
    until = Date.now() + SHOWN_SECONDS * 1000
    left.value = SHOWN_SECONDS
    clearInterval(timer)
    // By the clock, not by counting: a tab in the background is woken rarely.
    timer = setInterval(() => {
      left.value = Math.ceil((until - Date.now()) / 1000)
      if (left.value <= 0) hide()
    }, 500)
  }

  watch(key, hide)
  onBeforeRouteLeave(hide)
  onScopeDispose(hide)
  // A printed page or a window that somebody else walks past does not show them either.
  const away = () => {
    if (document.visibilityState === 'hidden') hide()
  }
  document.addEventListener('visibilitychange', away)
  onScopeDispose(() => document.removeEventListener('visibilitychange', away))
  return { clear, left, shown: computed(() => clear.value !== null), reveal, hide }
}
