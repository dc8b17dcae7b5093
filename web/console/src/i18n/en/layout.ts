import type { Words } from '@/i18n'
import type zh from '../zh-CN/layout'

const en: Words<typeof zh> = {
  skip: 'Skip to content',
  navigation: 'Main navigation',
  collapse: 'Collapse navigation',
  expand: 'Expand navigation',
  language: 'Language',
  theme: 'Appearance',
  light: 'Light',
  dark: 'Dark',
  system: 'As the system',
  account: 'Account',
  security: 'Account and security',
  shortcuts: 'Keyboard',
  signOut: 'Sign out',
  groups: { work: 'Work', data: 'Data', administration: 'Administration' },
}
export default en
