// A duplicate's relations come as "310@330100:contributing;…": scheme, region, state.
import { t, word } from '@/i18n'
import { divisionName } from './division_names'

const relationsOf = (value: unknown) => [...String(value ?? '').matchAll(/(\d+)@(\d+):(\w+)/g)].map(([, scheme, region, state]) => ({ scheme: scheme ?? '', region: region ?? '', state: state ?? '' }))

/** Their regions, whose names have to be known. */
export const regionsOf = (value: unknown): string[] => relationsOf(value).map((each) => each.region)

/** "职工基本医疗保险 杭州市 参保缴费；…"; what is not of that shape stays as it is. */
export function relationsInWords(value: unknown, names: Record<string, string> = {}): string {
  const all = relationsOf(value)
  if (all.length === 0) return String(value ?? '')
  return all.map((each) => [word('lists.scheme', each.scheme), names[each.region] ?? divisionName(each.region), word('persons.state', each.state)].join(' ')).join(t('lists.between'))
}
