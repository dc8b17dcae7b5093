import type { Words } from '@/i18n'
import type zh from '../zh-CN/forms'

const en: Words<typeof zh> = {
  title: 'Forms',
}
export default en
