// The account of an extract: every row that came in is somewhere.
import type { RunDetail } from '@/shared/api/types'

export type Account = RunDetail['accounts'][number]

// Rows in less rows that are accounted for; 0 = balanced.
export function missing(a: Account): number {
  return a.rows_in - a.linked - a.unlinked - a.rejected - (a.reference ?? 0)
}

export interface Totals {
  rows_in: number
  linked: number
  unlinked: number
  rejected: number
  reference: number
}

export function totals(accounts: Account[]): Totals {
  const sum: Totals = { rows_in: 0, linked: 0, unlinked: 0, rejected: 0, reference: 0 }
  for (const a of accounts) {
    sum.rows_in += a.rows_in
    sum.linked += a.linked
    sum.unlinked += a.unlinked
    sum.rejected += a.rejected
    sum.reference += a.reference ?? 0
  }
  return sum
}
