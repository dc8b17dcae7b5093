import type { Person, TableRow } from '@/shared/api/types'

export type Enrolment = Person['enrolments'][number]
export type Identity = Person['identity']

// What a reveal shows in the clear.
export interface Clear {
  number: string | null
  document?: string | null
  name: string | null
  phone: string | null
  address?: string | null
}

export function personKey(row: TableRow): string | null {
  const key = row.person_key ?? row.person
  return key === null || key === undefined || key === '' ? null : String(key)
}
