import type { Words } from '@/i18n'
import type zh from '../zh-CN/deliveries'

const en: Words<typeof zh> = {
  title: 'Deliveries',
}
export default en
