import { Download, Tickets } from '@element-plus/icons-vue'
import type { Feature } from '@/shared/navigation'
import { LISTS } from './filters'

const feature: Feature = {
  routes: [
    { path: 'lists', redirect: (to) => ({ path: '/lists/to-verify', query: to.query }) },
    { path: `lists/:list(${LISTS.join('|')})`, name: 'list', component: () => import('./ListPage.vue'), meta: { permission: 'lists.read', title: 'lists.title' } },
    { path: 'exports', name: 'exports', component: () => import('./ExportsPage.vue'), meta: { permission: 'exports.read', title: 'lists.exports.title' } },
  ],
  navigation: [
    { to: '/lists', label: 'lists.title', icon: Tickets, group: 'work', order: 30, permission: 'lists.read', key: 'l' },
    { to: '/exports', label: 'lists.exports.title', icon: Download, group: 'data', order: 30, permission: 'exports.read', key: 'x' },
  ],
}
export default feature
