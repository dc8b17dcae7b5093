// What the header has chosen: a division within the caller's own and a cut-off. Empty means "mine" and "newest";
// pages pass both on as they are. Kept in the address (?division=&cutoff=), so that a link shows the same.
import { computed } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { user } from './session'

export function useScope() {
  const route = useRoute()
  const router = useRouter()
  const read = (name: string): string | undefined => {
    const value = route.query[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const division = computed(() => read('division'))
  const cutoff = computed(() => read('cutoff'))
  /** The division that is shown, the caller's own by default. */
  const shown = computed(() => division.value ?? user.value?.division ?? '')
  /** Ready for a call: `api.GET('/home', { params: { query: query.value } })`. */
  const query = computed(() => ({ division: division.value, cutoff: cutoff.value }))

  function set(change: { division?: string | null; cutoff?: string | null }): void {
    // A page's own filters and its place in a list mean nothing elsewhere: only the scope is kept.
    const next: Record<string, string> = {}
    const to = { division: change.division === undefined ? division.value : change.division, cutoff: change.cutoff === undefined ? cutoff.value : change.cutoff }
    if (to.division && to.division !== user.value?.division) next.division = to.division
    if (to.cutoff) next.cutoff = to.cutoff
    const keep = Object.fromEntries(Object.entries(route.query).filter(([name]) => !['division', 'cutoff', 'after', 'before', 'page'].includes(name)))
    void router.push({ path: route.path, query: { ...keep, ...next } })
  }
  return { division, cutoff, shown, query, set }
}
