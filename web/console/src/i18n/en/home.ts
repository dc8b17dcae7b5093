import type { Words } from '@/i18n'
import type zh from '../zh-CN/home'

const en: Words<typeof zh> = {
  title: 'Home',
}
export default en
