import type { Case, CaseState, CaseStep } from '@/shared/api/types'

export type Action = CaseStep['action']

export const STATES: Record<Case['kind'], CaseState[]> = {
  duplicate: ['found', 'notified', 'agreed', 'handled', 'consolidated', 'dismissed', 'gone'],
  discrepancy: ['found', 'sent', 'corrected', 'confirmed_right', 'gone'],
}
export const ALL_STATES: CaseState[] = ['found', 'notified', 'agreed', 'handled', 'consolidated', 'sent', 'corrected', 'confirmed_right', 'dismissed', 'gone']

// Steps of which many can be taken at once; what each needs is asked once for all of them.
export const BULK: Record<Case['kind'] | 'any', Action[]> = {
  duplicate: ['notify', 'agree', 'handle', 'consolidate', 'dismiss', 'reopen', 'approve', 'reject', 'assign', 'set_due', 'comment'],
  discrepancy: ['send', 'correct', 'confirm_right', 'reopen', 'assign', 'set_due', 'comment'],
  any: ['reopen', 'assign', 'set_due', 'comment'],
}

type Tag = 'success' | 'danger' | 'info' | 'warning' | 'primary'
const closed: CaseState[] = ['consolidated', 'corrected', 'confirmed_right']
export function tagOf(state: CaseState): Tag {
  if (closed.includes(state)) return 'success'
  if (state === 'dismissed' || state === 'gone') return 'info'
  return state === 'found' ? 'warning' : 'primary'
}

// What the policy of steps (data/casework) asks for; a single case's own page is told by the service.
export const NEEDS: Partial<Record<Action, string[]>> = { dismiss: ['reason'], reopen: ['note'], confirm_right: ['note'], set_due: ['due'], comment: ['note'] }

// What a step has to be told besides what the service asks for.
export function asksFor(action: Action, needs: string[]): Set<'note' | 'reason' | 'due' | 'assignee' | 'keep'> {
  const asks = new Set<'note' | 'reason' | 'due' | 'assignee' | 'keep'>(['note'])
  if (needs.includes('reason') || action === 'dismiss') asks.add('reason')
  if (needs.includes('due') || action === 'set_due') asks.add('due')
  if (needs.includes('assignee') || action === 'assign') asks.add('assignee')
  if (needs.includes('keep') || action === 'agree') asks.add('keep')
  return asks
}

// Which of them it cannot do without.
export function mustHave(action: Action, needs: string[]): Set<string> {
  const must = new Set(needs)
  if (action === 'comment') must.add('note')
  if (action === 'set_due') must.add('due')
  return must
}
