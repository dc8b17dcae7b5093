import { describe, expect, it } from 'vitest'
import { place, shade, type Tile } from './tiles'

const tile = (code: string, column?: number, row?: number): Tile => ({ code, name: code, column, row, values: {} })

describe('place', () => {
  it('keeps given places, moved to the corner', () => {
    const { placed, columns } = place([tile('a', 3, 5), tile('b', 4, 5), tile('c', 3, 6)])
    expect(placed.map(({ column, row }) => [column, row])).toEqual([[1, 1], [2, 1], [1, 2]])
    expect(columns).toBe(2)
  })
  it('fills rows when a place is missing or taken twice', () => {
    for (const tiles of [[tile('a', 1, 1), tile('b')], [tile('a', 1, 1), tile('b', 1, 1)]]) {
      const { placed } = place(tiles)
      expect(new Set(placed.map(({ column, row }) => `${column}/${row}`)).size).toBe(2)
    }
  })
  it('never has more than six columns', () => {
    expect(place(Array.from({ length: 120 }, (_, index) => tile(String(index)))).columns).toBe(6)
  })
})

describe('shade', () => {
  it('goes by rank, not by size', () => {
    const all = [1, 2, 3, 4, 1_000_000]
    expect(all.map((value) => shade(value, all))).toEqual([0, 1, 2, 3, 4])
  })
  it('tells unknown from nought', () => {
    expect(shade(null, [null, 1, 2])).toBe(-1)
    expect(shade(0, [0, 1, 2])).toBe(0)
  })
})
