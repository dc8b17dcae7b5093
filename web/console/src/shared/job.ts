// A job followed live: server-sent events while it runs, the plain answer when the stream cannot be had.
import { computed, onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue'
import { api, ask } from './api/client'
import type { Job } from './api/types'

const final = new Set<Job['state']>(['cancelled', 'interrupted', 'failed', 'done'])

export function ended(job: Job): boolean {
  return final.has(job.state)
}

/** Follows the job whose id `id` holds; reconnects, survives a reload because the state is the service's. */
export function useJob(id: Ref<string | null | undefined>) {
  const job = shallowRef<Job | null>(null)
  const error = ref<unknown>(null)
  const lost = ref(false)
  let stream: EventSource | null = null
  let timer: ReturnType<typeof setTimeout> | undefined

  function stop(): void {
    stream?.close()
    stream = null
    clearTimeout(timer)
  }

  async function read(which: string): Promise<void> {
    try {
      const answer = await ask(api.GET('/jobs/{id}', { params: { path: { id: which } } }))
      if (id.value !== which) return
      job.value = answer
      error.value = null
      lost.value = false
    } catch (problem) {
      if (id.value !== which) return
      if (job.value) lost.value = true
      else error.value = problem
    }
  }

  function follow(which: string): void {
    stop()
    stream = new EventSource(`/api/v1/jobs/${which}/events`)
    const take = (event: MessageEvent<string>) => {
      lost.value = false
      job.value = JSON.parse(event.data) as Job
      if (ended(job.value)) stop()
    }
    stream.onmessage = take
    stream.addEventListener('job', take as EventListener)
    stream.onerror = () => {
      // The browser tries again by itself unless the service refused; then ask every few seconds.
      lost.value = true
      if (stream?.readyState !== EventSource.CLOSED) return
      stop()
      timer = setTimeout(async () => {
        await read(which)
        if (id.value === which && (!job.value || !ended(job.value))) follow(which)
      }, 3000)
    }
  }

  async function start(): Promise<void> {
    stop()
    job.value = null
    error.value = null
    const which = id.value
    if (!which) return
    await read(which)
    if (id.value === which && job.value && !ended(job.value)) follow(which)
  }

  async function deed(path: '/jobs/{id}/cancel' | '/jobs/{id}/resume'): Promise<void> {
    const which = id.value
    if (!which) return
    job.value = await ask(api.POST(path, { params: { path: { id: which } } }))
    if (!ended(job.value)) follow(which)
  }

  watch(id, start, { immediate: true })
  onScopeDispose(stop)
  return {
    job,
    error,
    lost,
    running: computed(() => job.value !== null && !ended(job.value)),
    cancel: () => deed('/jobs/{id}/cancel'),
    resume: () => deed('/jobs/{id}/resume'),
    reload: start,
  }
}
