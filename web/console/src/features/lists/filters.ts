// What narrows each list. All of it stands in the address, so that a link, a reload and a saved filter
// show the same page.
import type { LocationQuery } from 'vue-router'

export const LISTS = ['to-verify', 'uncovered', 'duplicates', 'discrepancies', 'conflicts', 'rejects'] as const
export type List = (typeof LISTS)[number]

export type FilterName = 'branch' | 'number' | 'age_from' | 'age_to' | 'scheme' | 'group'
export type Filters = Partial<Record<FilterName, string>>

const offered: Record<List, FilterName[]> = {
  'to-verify': ['group', 'age_from', 'age_to'],
  uncovered: ['branch', 'group', 'age_from', 'age_to', 'scheme'],
  duplicates: ['number', 'age_from', 'age_to', 'scheme'],
  discrepancies: ['number'],
  conflicts: [],
  rejects: [],
}

export function filtersOf(list: List): FilterName[] {
  return offered[list]
}

// Lists of persons can be selected from; the others are of rows.
export function isOfPersons(list: List): boolean {
  return list === 'to-verify' || list === 'uncovered' || list === 'duplicates'
}

export function isList(name: string): name is List {
  return (LISTS as readonly string[]).includes(name)
}

// Of an address only what this list knows.
export function readFilters(list: List, query: LocationQuery): Filters {
  const filters: Filters = {}
  for (const name of filtersOf(list)) {
    const value = query[name]
    if (typeof value === 'string' && value !== '') filters[name] = value
  }
  return filters
}

// As the contract types them.
export function toQuery(filters: Filters) {
  const int = (value: string | undefined) => (value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined)
  return {
    branch: filters.branch as 'pension' | 'medical' | 'work_injury' | 'unemployment' | 'maternity' | undefined,
    number: int(filters.number),
    age_from: int(filters.age_from),
    age_to: int(filters.age_to),
    scheme: int(filters.scheme),
    group: filters.group,
  }
}
