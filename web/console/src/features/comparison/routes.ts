import { Connection } from '@element-plus/icons-vue'
import type { Feature } from '@/shared/navigation'

const feature: Feature = {
  routes: [
    { path: 'comparison', name: 'comparison', component: () => import('./ComparisonPage.vue'), meta: { permission: 'figures.read', title: 'comparison.title' } },
    { path: 'comparison/jobs/:id(\\d+)', name: 'comparison-job', component: () => import('./JobPage.vue'), meta: { title: 'comparison.job.title' } },
    { path: 'comparison/runs/:id', name: 'run', component: () => import('./RunPage.vue'), meta: { permission: 'figures.read', title: 'comparison.title' } },
  ],
  navigation: [{ to: '/comparison', label: 'comparison.title', icon: Connection, group: 'data', order: 20, permission: 'figures.read', key: 'm' }],
}
export default feature
