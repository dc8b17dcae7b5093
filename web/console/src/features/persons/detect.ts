// By what somebody is looked for, told from what was typed.
import type { PersonSearch } from '@/shared/api/types'

export type By = PersonSearch['by']

export function detect(typed: string): By {
  // Full-width digits and letters count as what they stand for; blanks inside a number as nothing.
  const value = typed.normalize('NFKC').replace(/[\s-]/g, '')
  if (/^1[3-9]\d{9}$/.test(value) || /^0\d{9,11}$/.test(value)) return 'phone'
  if (/\d/.test(value)) return 'number'
  if (/^[a-zü·']+$/i.test(value)) return 'pinyin'
  return 'name'
}

export function clean(typed: string, by: By): string {
  const value = typed.normalize('NFKC').trim()
  if (by === 'number') return value.replace(/\s/g, '').toUpperCase()
  if (by === 'phone') return value.replace(/[\s-]/g, '')
  return value.replace(/\s+/g, ' ')
}
