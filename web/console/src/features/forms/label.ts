import { text } from '@/i18n'
import type { FormPage } from '@/shared/api/types'

/** "养老保险 · 应参保未参保人数": a heading with those that stand above it; many columns share their last line. */
export function fullLabel(page: Pick<FormPage, 'headings' | 'columns'>, key: string): string {
  const own = text(page.columns.find((each) => each.key === key)?.label)
  const number = Number(key)
  if (!Number.isInteger(number)) return own
  const above = page.headings.flatMap((line) => line.filter((cell) => cell.span > 1 && cell.column <= number && number < cell.column + cell.span).map((cell) => text(cell.text)))
  return [...new Set([...above, own])].filter(Boolean).join(' · ')
}
