import type { Words } from '@/i18n'
import type zh from '../zh-CN/comparison'

const en: Words<typeof zh> = {
  title: 'Comparison',
}
export default en
