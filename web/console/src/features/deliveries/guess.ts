// What a file probably is, from its name: a first proposal that somebody checks.
import { KINDS } from './policy'

export interface Description {
  kind: string
  source: string
  stage: string
  region: string
}

const words: [RegExp, string][] = [
  [/结算/, 'medical_settlement'],
  [/户籍|人口库|户口/, 'household_register'],
  [/居住证/, 'residence_permit'],
  [/学籍|学生/, 'student'],
  [/死亡|火化|殡葬/, 'death'],
  [/服刑|监狱/, 'prisoner'],
  [/现役|军/, 'military'],
  [/出国|出境|出入境/, 'abroad'],
  [/个税|税务/, 'wage_tax'],
  [/低保|困难|优抚/, 'subsidised'],
  [/社保卡|持卡/, 'card'],
  [/异地就医/, 'remote_medical'],
  [/部级反馈|反馈/, 'national_reply'],
  [/常住人口/, 'resident_population'],
  [/用工|就业备案|劳动合同/, 'employment_filing'],
  [/编制/, 'staffing'],
  [/出生/, 'birth'],
  [/单位/, 'employer'],
  [/养老|医疗|医保|工伤|失业|生育|居保|职保|参保|新农合/, 'enrolment'],
]
const enrolments = /^(pension|medical|unemployment|work_injury|maternity|enrol)/
const stages: Record<string, string> = {
  household_register: 'internal',
  enrolment: 'internal',
  employer: 'internal',
  resident_population: 'internal',
  card: 'internal',
  medical_settlement: 'internal',
  remote_medical: 'cross_province',
  national_reply: 'cross_province',
  national_request: 'cross_province',
}

export function guess(name: string): Description {
  const base = name.toLowerCase().replace(/\.(gz|zst)$/, '').replace(/\.[a-z]+$/, '')
  const kind =
    KINDS.filter((k) => base.startsWith(k)).sort((a, b) => b.length - a.length)[0] ??
    (enrolments.test(base) ? 'enrolment' : (words.find(([word]) => word.test(name))?.[1] ?? ''))
  const region = /(?:^|\D)(\d{6})(?:\D|$)/.exec(base)?.[1] ?? ''
  return { kind, source: '', stage: kind === '' ? '' : (stages[kind] ?? 'cross_department'), region: kind === 'enrolment' || kind === 'medical_settlement' ? region : '' }
}

export function isManifest(name: string): boolean {
  return name === 'manifest.toml'
}
