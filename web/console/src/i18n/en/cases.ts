import type { Words } from '@/i18n'
import type zh from '../zh-CN/cases'

const en: Words<typeof zh> = {
  title: 'Cases',
}
export default en
