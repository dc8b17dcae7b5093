import { Checked, Files } from '@element-plus/icons-vue'
import type { Feature } from '@/shared/navigation'

const feature: Feature = {
  routes: [
    { path: 'cases', name: 'cases', component: () => import('./CasesPage.vue'), meta: { permission: 'cases.read', title: 'cases.title' } },
    { path: 'cases/:id(\\d+)', name: 'case', component: () => import('./CasePage.vue'), meta: { permission: 'cases.read', title: 'cases.title' } },
    { path: 'review', name: 'review', component: () => import('./ReviewPage.vue'), meta: { permission: 'review.read', title: 'cases.review.title' } },
  ],
  navigation: [
    { to: '/cases', label: 'cases.title', icon: Files, group: 'work', order: 40, permission: 'cases.read', key: 'c' },
    { to: '/review', label: 'cases.review.title', icon: Checked, group: 'work', order: 45, permission: 'review.read', key: 'r' },
  ],
}
export default feature
