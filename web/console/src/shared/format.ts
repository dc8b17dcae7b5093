// Numbers, days and times as people read them, in the language chosen.
import { locale, t } from '@/i18n'

const numbers = new Map<string, Intl.NumberFormat>()

export function number(value: number | string | null | undefined, digits?: number): string {
  if (value === null || value === undefined || value === '') return '—'
  const given = Number(value)
  if (!Number.isFinite(given)) return String(value)
  const key = `${locale.value}/${digits ?? ''}`
  let format = numbers.get(key)
  if (!format) {
    format = new Intl.NumberFormat(locale.value, digits === undefined ? {} : { minimumFractionDigits: digits, maximumFractionDigits: digits })
    numbers.set(key, format)
  }
  return format.format(given)
}

/** "+1,204", "−3", "0"; nothing where there is no earlier figure. */
export function change(now: number | null | undefined, before: number | null | undefined): string {
  if (now === null || now === undefined || before === null || before === undefined) return ''
  const by = now - before
  return by > 0 ? `+${number(by)}` : by < 0 ? `−${number(-by)}` : '0'
}

export function day(value: string | null | undefined): string {
  return value ? value.slice(0, 10) : '—'
}

/** A moment in the browser's own time: 2026-11-27 14:03. */
export function moment(value: string | null | undefined): string {
  if (!value) return '—'
  const at = new Date(value)
  if (Number.isNaN(at.getTime())) return value
  const two = (part: number) => String(part).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`
}

export function bytes(size: number | null | undefined): string {
  if (size === null || size === undefined) return '—'
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = size
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${number(value, unit === 0 || value >= 100 ? 0 : 1)} ${units[unit]}`
}

export function duration(seconds: number): string {
  if (seconds < 90) return t('common.unit.second', { n: Math.max(1, Math.round(seconds)) })
  if (seconds < 90 * 60) return t('common.unit.minute', { n: Math.round(seconds / 60) })
  return t('common.unit.hour', { n: number(seconds / 3600, 1) })
}

/** Several words in a row. */
export function joined(words: string[]): string {
  return words.join(locale.value === 'en' ? ', ' : '、')
}

/** An aside behind a word. */
export function aside(words: string | number): string {
  return locale.value === 'en' ? ` (${words})` : `（${words}）`
}
