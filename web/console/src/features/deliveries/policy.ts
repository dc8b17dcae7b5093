// Fields and codes to map to, read from the mappings that the executable itself is built with
// (data/mappings): the editor offers what the reader understands.
import codesFile from '../../../../../data/mappings/codes.toml?raw'
import headersFile from '../../../../../data/mappings/headers.toml?raw'

type Tables = Map<string, Map<string, string[]>>

// The part of TOML that these files use: tables, and keys with a list of strings in one line.
export function readTables(text: string): Tables {
  const tables: Tables = new Map()
  let table = ''
  for (const line of text.split('\n')) {
    const head = /^\[([\w.]+)\]/.exec(line)
    if (head?.[1]) {
      table = head[1]
      tables.set(table, new Map())
      continue
    }
    const entry = /^([\w]+)\s*=\s*\[(.*)\]/.exec(line)
    if (entry?.[1]) tables.get(table)?.set(entry[1], Array.from((entry[2] ?? '').matchAll(/"([^"]*)"/g), (m) => m[1] ?? ''))
  }
  return tables
}

const headers = readTables(headersFile)
const codes = readTables(codesFile)

export const KINDS = [...headers.keys()].flatMap((name) => /^kinds\.([a-z_]+)$/.exec(name)?.[1] ?? [])
export const STAGES = ['internal', 'cross_department', 'cross_city', 'cross_province'] as const

export interface Field {
  field: string
  label: string // as the agencies write it
  required: boolean
  several: boolean // more than one column may hold it
}

export function fieldsOf(kind: string): Field[] {
  const of = headers.get(`kinds.${kind}`)
  const own = headers.get(`kinds.${kind}.headers`)
  const common = headers.get('fields')
  const required = of?.get('required') ?? []
  const free = new Set([...(of?.get('may_be_empty') ?? []), ...(of?.get('by_manifest') ?? [])])
  const several = of?.get('several') ?? []
  return [...required, ...(of?.get('optional') ?? [])].map((field) => ({
    field,
    label: own?.get(field)?.[0] ?? common?.get(field)?.[0] ?? field,
    required: required.includes(field) && !free.has(field),
    several: several.includes(field),
  }))
}

// The table of codes behind a field, none for free text.
export function codeTable(kind: string, field: string): string | null {
  if (field === 'status') return kind === 'student' ? 'student_status' : null
  if (field === 'category') return kind === 'military' ? 'military_category' : null
  if (field === 'full_time') return 'truth'
  return codes.has(field) && field !== 'defaults' ? field : null
}

export interface Meaning {
  code: string
  label: string
}

export function meaningsOf(table: string): Meaning[] {
  return [...(codes.get(table) ?? [])].map(([code, words]) => ({ code, label: words.find((w) => /\p{Script=Han}/u.test(w)) ?? code }))
}

export const STATES = ['contributing', 'interrupted', 'terminated', 'receiving', 'benefit_suspended', 'not_enrolled'] as const
