import type { Words } from '@/i18n'
import type zh from '../zh-CN/persons'

const en: Words<typeof zh> = {
  title: 'Persons',
}
export default en
