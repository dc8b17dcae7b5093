import { Search } from '@element-plus/icons-vue'
import type { Feature } from '@/shared/navigation'

const feature: Feature = {
  routes: [
    { path: 'persons', name: 'persons', component: () => import('./SearchPage.vue'), meta: { permission: 'persons.search', title: 'persons.title' } },
    { path: 'persons/:key(\\d+)', name: 'person', component: () => import('./PersonPage.vue'), meta: { permission: 'persons.read', title: 'persons.page.title' } },
  ],
  navigation: [{ to: '/persons', label: 'persons.title', icon: Search, group: 'work', order: 20, permission: 'persons.search', key: 'p' }],
}
export default feature
