// A mapping while it is edited: which header is which field, which code of the source means what; and
// what is wrong with it before it is saved.
import { STATES, codeTable, fieldsOf, meaningsOf, type Meaning } from './policy'
import type { Profile } from './profile'

export interface CodeRow {
  column: string // canonical
  code: string // as the source writes it
  meaning: string
}

export interface Flaw {
  kind: 'twice' | 'lacking'
  field: string
  headers: string[]
}

export function columnsOf(profile: Profile): Record<string, string> {
  return Object.fromEntries(profile.columns.map((c) => [c.header, c.field ?? '']))
}

// What the reader did not understand, to be given a meaning.
export function openCodes(profile: Profile): CodeRow[] {
  const rows: CodeRow[] = []
  for (const column of profile.columns) {
    if (!column.field || codeTable(profile.kind, column.field) === null) continue
    for (const code of new Set(column.bad_samples)) rows.push({ column: column.field, code, meaning: '' })
  }
  for (const code of profile.state_texts) rows.push({ column: 'enrolment_state', code, meaning: '' })
  return rows
}

export function codedFields(profile: Profile): string[] {
  const coded = profile.columns.flatMap((c) => (c.field && codeTable(profile.kind, c.field) !== null ? [c.field] : []))
  return [...new Set([...coded, ...(profile.columns.some((c) => c.field === 'enrolment_state') ? ['enrolment_state'] : [])])]
}

export function meanings(kind: string, column: string): Meaning[] {
  if (column === 'enrolment_state') return STATES.map((code) => ({ code, label: code }))
  const table = codeTable(kind, column)
  return table === null ? [] : meaningsOf(table)
}

export function flaws(kind: string, columns: Record<string, string>): Flaw[] {
  const by = new Map<string, string[]>()
  for (const [header, field] of Object.entries(columns)) if (field !== '') by.set(field, [...(by.get(field) ?? []), header])
  const found: Flaw[] = []
  for (const { field, required, several } of fieldsOf(kind)) {
    const headers = by.get(field) ?? []
    if (headers.length > 1 && !several) found.push({ kind: 'twice', field, headers })
    if (headers.length === 0 && required) found.push({ kind: 'lacking', field, headers })
  }
  return found
}

export function body(columns: Record<string, string>, before: Record<string, string>, codes: CodeRow[]) {
  // Only what is said anew: what the common mappings already know stays theirs.
  const kept = Object.fromEntries(Object.entries(columns).filter(([header, field]) => field !== '' && field !== (before[header] ?? '')))
  const by: Record<string, Record<string, string>> = {}
  for (const { column, code, meaning } of codes) if (code.trim() !== '' && meaning !== '') (by[column] ??= {})[code.trim()] = meaning
  return Object.keys(by).length > 0 ? { columns: kept, codes: by } : { columns: kept }
}
