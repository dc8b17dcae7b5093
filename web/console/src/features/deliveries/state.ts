// What a delivery allows in each state, and how far it is.
import type { Delivery } from '@/shared/api/types'

export type State = Delivery['state']
export type Tag = 'success' | 'danger' | 'info' | 'warning' | 'primary'

const tags: Record<State, Tag> = {
  new: 'info', profiling: 'primary', refused_by_check: 'danger', profiled: 'primary', checked: 'primary', accepted: 'success', refused: 'danger', loaded: 'success', undone: 'info',
}
export const tagOf = (state: State): Tag => tags[state]

// Steps that are done: profile, dry run, decision, comparison, loaded.
export function stepOf(delivery: Delivery): number {
  const at: Record<State, number> = { new: 0, profiling: 0, refused_by_check: 0, profiled: 1, checked: 2, refused: 2, undone: 2, accepted: 3, loaded: 5 }
  return at[delivery.state]
}

export function busy(delivery: Delivery): boolean {
  return delivery.job?.state === 'queued' || delivery.job?.state === 'running' || delivery.job?.state === 'cancelling'
}

// As the service allows them; it has the last word.
export const may = {
  dryRun: (d: Delivery) => !busy(d) && ['profiled', 'checked', 'refused_by_check'].includes(d.state),
  map: (d: Delivery) => !busy(d) && ['profiled', 'checked', 'refused_by_check'].includes(d.state),
  accept: (d: Delivery) => !busy(d) && ['checked', 'undone', 'refused'].includes(d.state),
  refuse: (d: Delivery) => !busy(d) && ['new', 'profiled', 'checked', 'refused_by_check', 'accepted', 'undone'].includes(d.state),
  undo: (d: Delivery) => !busy(d) && d.state === 'loaded',
  compare: (d: Delivery) => !busy(d) && d.state === 'accepted',
}

export const rowsOf = (d: Delivery): number | null => (d.files.some((f) => typeof f.rows === 'number') ? d.files.reduce((sum, f) => sum + (f.rows ?? 0), 0) : null)
