import { describe, expect, it } from 'vitest'
import { regionsOf, relationsInWords } from './relations'

describe('relations of a duplicate', () => {
  it('are said in words', () => {
    expect(relationsInWords('310@330100:contributing;391@330400:receiving')).toMatch(/^\S+ 330100 参保缴费；\S+ 330400 待遇享受$/)
    expect(regionsOf('310@330100:contributing;391@330400:receiving')).toEqual(['330100', '330400'])
  })
  it('stay as they are when they have another shape', () => {
    expect(relationsInWords('two of them')).toBe('two of them')
    expect(regionsOf(null)).toEqual([])
  })
})
