import type { Words } from '@/i18n'
import type zh from '../zh-CN/lists'

const en: Words<typeof zh> = {
  title: 'Lists',
}
export default en
