import { describe, expect, it } from 'vitest'
import { keyHandler } from './keyboard'

function play(keys: string[], map: string[], times: number[] = []): string[] {
  const done: string[] = []
  let at = 0
  const handler = keyHandler(() => Object.fromEntries(map.map((key) => [key, () => done.push(key)])), () => times[at] ?? 0)
  for (const key of keys) {
    handler(new KeyboardEvent('keydown', { key }))
    at += 1
  }
  return done
}

describe('keys', () => {
  it('single and in sequence', () => {
    expect(play(['?', 'g', 'f', 'd'], ['?', 'g f', 'd'])).toEqual(['?', 'g f', 'd'])
  })
  it('forget the first key of a sequence that does not go on', () => {
    expect(play(['g', 'x', 'f'], ['g f'])).toEqual([])
    expect(play(['g', 'f'], ['g f'], [0, 2000])).toEqual([])
  })
  it('keep still while somebody types', () => {
    const done: string[] = []
    const input = document.body.appendChild(document.createElement('input'))
    input.addEventListener('keydown', keyHandler(() => ({ d: () => done.push('d') })))
    input.dispatchEvent(new KeyboardEvent('keydown', { key: 'd', bubbles: true }))
    expect(done).toEqual([])
  })
})
