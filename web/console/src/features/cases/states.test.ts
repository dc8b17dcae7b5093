import { describe, expect, it } from 'vitest'
import { ALL_STATES, STATES, asksFor, mustHave, tagOf } from './states'

describe('states', () => {
  it('knows every state of both kinds', () => {
    expect(new Set([...STATES.duplicate, ...STATES.discrepancy])).toEqual(new Set(ALL_STATES))
  })

  it('asks for what a step needs, and for no more', () => {
    expect([...asksFor('notify', [])]).toEqual(['note'])
    expect([...asksFor('agree', ['note'])].sort()).toEqual(['keep', 'note'])
    expect([...mustHave('comment', [])]).toEqual(['note'])
    expect([...mustHave('dismiss', ['reason'])]).toEqual(['reason'])
    expect([...mustHave('notify', [])]).toEqual([])
  })

  it('tells open from closed', () => {
    expect(tagOf('consolidated')).toBe('success')
    expect(tagOf('dismissed')).toBe('info')
    expect(tagOf('found')).toBe('warning')
  })
})
