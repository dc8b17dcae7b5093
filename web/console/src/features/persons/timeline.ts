// Where the bars of a person's enrolments stand: five branches over time, one lane for each
// relation, and between them the months in which a branch has nothing (gaps) or more than one active
// relation (overlaps). Pure; EnrolmentMatrix.vue draws it.
import type { Enrolment } from './types'

export const BRANCHES = ['pension', 'medical', 'work_injury', 'unemployment', 'maternity'] as const
export type Branch = (typeof BRANCHES)[number]

export interface Span {
  from: number // days since 1970-01-01
  to: number // exclusive
}

export interface Bar extends Span {
  enrolment: Enrolment
  lane: number
  open: boolean // goes on behind the cut-off
  undated: boolean // begins before anything that is known
}

export interface BranchRow {
  branch: Branch
  bars: Bar[]
  lanes: number
  gaps: Span[]
  overlaps: Span[]
}

export interface Timeline extends Span {
  rows: BranchRow[]
  years: { year: number; at: number }[]
}

const DAY = 86_400_000

export function dayNumber(iso: string): number {
  return Math.floor(Date.parse(`${iso.slice(0, 10)}T00:00:00Z`) / DAY)
}

export function isoDay(day: number): string {
  return new Date(day * DAY).toISOString().slice(0, 10)
}

const HARDLY = 31 // shorter gaps are the seams of months, not gaps

export function buildTimeline(enrolments: Enrolment[], cutoff: string): Timeline {
  const end = dayNumber(cutoff) + 1
  const begins = enrolments.flatMap((e) => (e.enrolled_on ? [dayNumber(e.enrolled_on)] : []))
  const first = Math.min(end - 365, ...begins)
  // From the first of January, so that the axis begins with a year.
  const from = dayNumber(`${new Date(first * DAY).getUTCFullYear()}-01-01`)
  const rows = BRANCHES.map((branch) => {
    const bars: Bar[] = enrolments
      .filter((e) => e.branch === branch && e.state !== 'not_enrolled')
      .map((enrolment) => {
        const start = enrolment.enrolled_on ? dayNumber(enrolment.enrolled_on) : from
        const stop = enrolment.ended_on ? dayNumber(enrolment.ended_on) : end
        const to = Math.max(Math.min(stop, end), start + 1)
        return { enrolment, lane: 0, from: start, to, open: !enrolment.ended_on && enrolment.state !== 'terminated', undated: !enrolment.enrolled_on }
      })
      .sort((a, b) => a.from - b.from || a.enrolment.scheme - b.enrolment.scheme)
    const laneEnds: number[] = []
    for (const bar of bars) {
      const free = laneEnds.findIndex((at) => at <= bar.from)
      bar.lane = free < 0 ? laneEnds.length : free
      laneEnds[bar.lane] = bar.to
    }
    return { branch, bars, lanes: Math.max(1, laneEnds.length), gaps: gapsOf(bars, end), overlaps: overlapsOf(bars) }
  })
  const years: Timeline['years'] = []
  const last = new Date((end - 1) * DAY).getUTCFullYear()
  for (let year = new Date(from * DAY).getUTCFullYear(); year <= last; year++) years.push({ year, at: dayNumber(`${year}-01-01`) })
  return { from, to: end, rows, years }
}

// Between the first bar and the cut-off: what no bar covers.
function gapsOf(bars: Bar[], end: number): Span[] {
  const first = bars[0]
  if (!first) return []
  const gaps: Span[] = []
  let covered = first.from
  for (const bar of bars) {
    if (bar.from - covered > HARDLY) gaps.push({ from: covered, to: bar.from })
    covered = Math.max(covered, bar.to)
  }
  if (end - covered > HARDLY) gaps.push({ from: covered, to: end })
  return gaps
}

// Where two relations that are active at the cut-off run side by side: a duplicate is judged on those.
function overlapsOf(bars: Bar[]): Span[] {
  const active = bars.filter((b) => b.enrolment.active)
  const marks = active.flatMap((b) => [
    { at: b.from, step: 1 },
    { at: b.to, step: -1 },
  ])
  marks.sort((a, b) => a.at - b.at || a.step - b.step)
  const spans: Span[] = []
  let depth = 0
  let since = 0
  for (const { at, step } of marks) {
    if (depth < 2 && depth + step >= 2) since = at
    if (depth >= 2 && depth + step < 2 && at > since) spans.push({ from: since, to: at })
    depth += step
  }
  return spans
}
