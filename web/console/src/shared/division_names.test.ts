import { describe, expect, it } from 'vitest'
import { divisionName, parentOf } from './division_names'

describe('division names', () => {
  it('asks the level above', () => {
    expect(['330102', '330100', '330000', '330102015', '330102015010', '33'].map(parentOf)).toEqual(['330100', '330000', null, '330102', '330102015', null])
  })
  it('shows the code until the name is known', () => {
    expect(divisionName('330102')).toBe('330102')
    expect(divisionName(null)).toBe('—')
  })
})
