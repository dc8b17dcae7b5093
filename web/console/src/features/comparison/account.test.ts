import { describe, expect, it } from 'vitest'
import { missing, totals, type Account } from './account'

const account = (over: Partial<Account>): Account => ({ file: 'a.csv', kind: 'enrolment', rows_in: 100, linked: 90, unlinked: 7, rejected: 3, ...over })

describe('account', () => {
  it('is balanced when every row is somewhere', () => {
    expect(missing(account({}))).toBe(0)
    expect(missing(account({ kind: 'employer', linked: 0, unlinked: 0, reference: 97 }))).toBe(0)
    expect(missing(account({ linked: 89 }))).toBe(1)
    expect(missing(account({ linked: 91 }))).toBe(-1)
  })

  it('adds up', () => {
    expect(totals([account({}), account({ linked: 0, unlinked: 0, reference: 97 })])).toEqual({ rows_in: 200, linked: 90, unlinked: 7, rejected: 6, reference: 97 })
  })
})
