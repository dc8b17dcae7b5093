// Where the tiles of the cartogram stand and how dark they are. Pure.
import type { Home } from '@/shared/api/types'

export type Tile = Home['divisions'][number]
export interface Placed {
  tile: Tile
  column: number
  row: number
}

/** Tiles with a place of their own keep it (the grid starts at the least); without places they fill rows. */
export function place(tiles: Tile[]): { placed: Placed[]; columns: number } {
  const known = tiles.length > 0 && tiles.every((tile) => tile.column !== undefined && tile.row !== undefined)
  const spots = new Set(tiles.map((tile) => `${tile.column}/${tile.row}`))
  if (known && spots.size === tiles.length) {
    const left = Math.min(...tiles.map((tile) => tile.column ?? 0))
    const top = Math.min(...tiles.map((tile) => tile.row ?? 0))
    const placed = tiles.map((tile) => ({ tile, column: (tile.column ?? 0) - left + 1, row: (tile.row ?? 0) - top + 1 }))
    return { placed, columns: Math.max(...placed.map((each) => each.column)) }
  }
  const columns = Math.min(6, Math.max(1, Math.ceil(Math.sqrt(tiles.length * 1.3))))
  return { placed: tiles.map((tile, index) => ({ tile, column: (index % columns) + 1, row: Math.floor(index / columns) + 1 })), columns }
}

/** 0 (least) to 4 by rank, so that one great city does not make all others pale; -1 where nothing is known. */
export function shade(value: number | null | undefined, all: (number | null | undefined)[]): number {
  if (value === null || value === undefined) return -1
  const known = all.filter((each): each is number => typeof each === 'number')
  const distinct = [...new Set(known)].sort((a, b) => a - b)
  if (distinct.length < 2) return 2
  return Math.round((4 * distinct.indexOf(value)) / (distinct.length - 1))
}
