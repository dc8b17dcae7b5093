import type { Words } from '@/i18n'
import type zh from '../zh-CN/home'

const en: Words<typeof zh> = {
  title: 'Home',
  subtitle: 'Cut-off {cutoff}',
  compared: 'compared with {cutoff}',
  belowCounty: 'Figures are kept down to counties',
  belowCountyHint: 'In townships and villages work by the lists, or look for a person.',
  funnel: 'Registration',
  of: 'Share of {name}',
  branches: 'Branches',
  branch: 'Branch',
  uncovered: 'Uncovered',
  change: 'Change',
  crossScheme: 'Two schemes',
  crossRegion: 'Two regions',
  map: 'Divisions below',
  measure: 'Measure',
  mapHint: 'Shaded from less to more; a click goes down.',
  noMap: 'No figures of divisions below',
  enter: 'Go to {name}, {measure} {value}',
  waiting: 'Waiting for you',
  nothing: 'Nothing is waiting',
  less: 'less',
  more: 'more',
  measures: { compared_rate: 'Compared, of residents', registered_rate: 'Registered, of residents', to_verify_rate: 'To verify, of hukou', registered: 'Registered', to_verify: 'To verify', uncovered: 'Uncovered', hukou: 'Hukou population', resident: 'Resident population', population: 'Registered persons', duplicates: 'Duplicates' },
}
export default en
