import { describe, expect, it } from 'vitest'
import { LISTS, filtersOf, isList, readFilters, toQuery } from './filters'

describe('filters', () => {
  it('takes from an address only what the list knows', () => {
    const query = { branch: 'pension', number: '4', age_from: '16', division: '330100', after: 'x', group: ['a', 'b'] }
    expect(readFilters('uncovered', query)).toEqual({ branch: 'pension', age_from: '16' })
    expect(readFilters('discrepancies', query)).toEqual({ number: '4' })
    expect(readFilters('rejects', query)).toEqual({})
  })

  it('gives numbers to the service as numbers, and nothing that is none', () => {
    expect(toQuery({ number: '4', age_from: 'x', scheme: '110' })).toMatchObject({ number: 4, age_from: undefined, scheme: 110 })
  })

  it('knows six lists', () => {
    expect(LISTS.filter(isList)).toHaveLength(6)
    expect(isList('everybody')).toBe(false)
    for (const list of LISTS) expect(filtersOf(list)).toBeDefined()
  })
})
