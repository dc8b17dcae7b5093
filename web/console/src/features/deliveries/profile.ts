// What `canbao inspect --format json` says of a file (docs/formats/delivery.md), as the service hands it on.
export interface ColumnProfile {
  header: string
  field: string | null
  required: boolean
  values: number
  empty: number
  placeholders: number
  bad: number
  distinct: number
  samples: string[]
  bad_samples: string[]
}

export interface Profile {
  file: string
  kind: string
  kind_guessed: boolean
  encoding: string | null
  delimiter: string | null
  bytes: number
  sha256: string
  header_line: number
  rows: number
  rejected: number
  unmapped_states: number
  state_texts: string[]
  columns: ColumnProfile[]
  missing_fields: string[]
  bad_rows: { line: number; sheet: number; reason: string; column: number; field: string; text: string }[]
  refused: { code: string; message_zh: string; message_en: string; line: number } | null
}

export function share(part: number, of: number): string {
  if (of === 0 || part === 0) return part === 0 ? '0%' : '—'
  const percent = (100 * part) / of
  return percent < 0.1 ? '<0.1%' : `${percent.toFixed(percent < 10 ? 1 : 0)}%`
}
