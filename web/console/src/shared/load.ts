// Data of a view: asked for when what it depends on changes, the newest question wins, a failure has a place.
import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef, type WatchSource } from 'vue'

export interface Loaded<T> {
  data: ShallowRef<T | null>
  error: Ref<unknown>
  loading: Ref<boolean>
  reload: () => Promise<void>
}

export function useLoad<T>(ask: (signal: AbortSignal) => Promise<T>, depends: WatchSource<unknown>[] = []): Loaded<T> {
  const data = shallowRef<T | null>(null)
  const error = ref<unknown>(null)
  const loading = ref(false)
  let running: AbortController | null = null

  async function reload(): Promise<void> {
    running?.abort()
    const mine = (running = new AbortController())
    loading.value = true
    error.value = null
    try {
      const answer = await ask(mine.signal)
      if (running === mine) data.value = answer
    } catch (problem) {
      if (running === mine) error.value = problem
    } finally {
      if (running === mine) loading.value = false
    }
  }
  watch(depends, () => void reload(), { immediate: true })
  onScopeDispose(() => {
    running?.abort()
    running = null
  })
  return { data, error, loading, reload }
}
