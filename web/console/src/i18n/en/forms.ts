import type { Words } from '@/i18n'
import type zh from '../zh-CN/forms'

const en: Words<typeof zh> = {
  title: 'Forms',
  tabs: { '2-1': 'Base data (1)', '2-2': 'Base data (2)', '1': 'Progress of the work' },
  number: 'Form {form}',
  region: 'Division',
  column: 'Column {column}',
  notYetVerified: 'Not yet verified',
  definition: 'Definition',
  definitionHint: 'Point at a column, or move the focus there, to read its definition; a click on a figure opens its people.',
  noDefinition: 'Reported as the notice asks.',
  unit: 'Unit: persons',
  filler: 'Reported by: {name}',
  checks: 'Checks',
  printed: 'of the notice',
  ours: 'warning',
  holds: 'holds',
  fails: 'fails',
  allHold: 'All {count} checks hold',
  someFail: '{count} checks fail',
  blocked: 'A check that the notice prints fails: the form cannot be reported.',
  xlsx: 'Download xlsx',
  noRows: 'No figures of divisions below',
  open: 'People behind {name}, {column}, {value}',
  equal: 'equal to the figure of the form',
  unequal: 'differs from the form, which says {value}',
  signatures: { head: 'Head of the unit:', checked: 'Checked by:', filled: 'Filled in by:', date: 'Date:' },
}
export default en
