import type { Words } from '@/i18n'
import type zh from '../zh-CN/administration'

const en: Words<typeof zh> = {
  title: 'Administration',
  users: { title: 'Users' },
  roles: { title: 'Roles' },
  sources: { title: 'Sources' },
  policy: { title: 'Rules and codes' },
  divisions: { title: 'Divisions' },
  audit: { title: 'Audit' },
  health: { title: 'System health' },
}
export default en
