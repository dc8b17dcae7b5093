import { describe, expect, it } from 'vitest'
import { buildTimeline, dayNumber, isoDay } from './timeline'
import type { Enrolment } from './types'

const enrolment = (over: Partial<Enrolment>): Enrolment => ({
  branch: 'pension', scheme: 110, state: 'contributing', active: true, enrolled_on: '2010-03-01', ended_on: null, ...over,
})
const pension = (...all: Partial<Enrolment>[]) => buildTimeline(all.map(enrolment), '2017-09-30').rows[0]!
const days = (spans: { from: number; to: number }[]) => spans.map((s) => [isoDay(s.from), isoDay(s.to)])

describe('buildTimeline', () => {
  it('counts days both ways', () => {
    expect(dayNumber('1970-01-02')).toBe(1)
    expect(isoDay(dayNumber('2017-09-30'))).toBe('2017-09-30')
    expect(isoDay(dayNumber('1899-12-31'))).toBe('1899-12-31')
  })

  it('always has the five branches, and begins with a year', () => {
    const t = buildTimeline([], '2017-09-30')
    expect(t.rows.map((r) => r.branch)).toEqual(['pension', 'medical', 'work_injury', 'unemployment', 'maternity'])
    expect(isoDay(t.from)).toBe('2016-01-01')
    expect(t.rows.every((r) => r.bars.length === 0 && r.gaps.length === 0)).toBe(true)
  })

  it('lets an open enrolment run to the cut-off, and no further', () => {
    const row = pension({}, { ended_on: '2099-01-01', scheme: 170 })
    expect(days(row.bars)).toEqual([
      ['2010-03-01', '2017-10-01'],
      ['2010-03-01', '2017-10-01'],
    ])
    expect(row.lanes).toBe(2)
  })

  it('finds a gap between relations and behind the last, but not the seam of a month', () => {
    const row = pension(
      { ended_on: '2012-01-31', state: 'terminated', active: false },
      { enrolled_on: '2012-02-15', ended_on: '2014-01-01', state: 'terminated', active: false },
      { enrolled_on: '2015-01-01', ended_on: '2016-01-01', state: 'interrupted', active: false },
    )
    expect(row.lanes).toBe(1)
    expect(days(row.gaps)).toEqual([
      ['2014-01-01', '2015-01-01'],
      ['2016-01-01', '2017-10-01'],
    ])
  })

  it('finds where two active relations run side by side', () => {
    const row = pension({}, { enrolled_on: '2014-06-01', region: '330300' }, { enrolled_on: '2015-01-01', scheme: 170 })
    expect(days(row.overlaps)).toEqual([['2014-06-01', '2017-10-01']])
    expect(pension({}, { enrolled_on: '2014-06-01', active: false, state: 'interrupted' }).overlaps).toEqual([])
  })

  it('shows an enrolment without a date from the beginning', () => {
    const row = pension({ enrolled_on: null })
    expect(row.bars[0]!.undated).toBe(true)
    expect(row.bars[0]!.from).toBe(buildTimeline([], '2017-09-30').from)
  })
})
