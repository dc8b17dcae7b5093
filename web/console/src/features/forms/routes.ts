import { Document } from '@element-plus/icons-vue'
import type { Feature } from '@/shared/navigation'

export default {
  routes: [
    { path: '/forms', redirect: (to) => ({ path: '/forms/2-1', query: to.query }) },
    { path: '/forms/:form(2-1|2-2|1)', component: () => import('./Form.vue'), meta: { permission: 'figures.read', title: 'forms.title' } },
  ],
  navigation: [{ to: '/forms', label: 'forms.title', icon: Document, group: 'work', order: 50, permission: 'figures.read', key: 'f' }],
} satisfies Feature
