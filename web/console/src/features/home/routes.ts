import { HomeFilled } from '@element-plus/icons-vue'
import type { Feature } from '@/shared/navigation'

export default {
  routes: [{ path: '/', component: () => import('./Home.vue'), meta: { permission: 'figures.read', title: 'home.title' } }],
  navigation: [{ to: '/', label: 'home.title', icon: HomeFilled, group: 'work', order: 10, permission: 'figures.read', key: 'h' }],
} satisfies Feature
