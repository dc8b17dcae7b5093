import { FolderOpened } from '@element-plus/icons-vue'
import type { Feature } from '@/shared/navigation'

const feature: Feature = {
  routes: [
    { path: 'deliveries', name: 'deliveries', component: () => import('./DeliveriesPage.vue'), meta: { permission: 'deliveries.read', title: 'deliveries.title' } },
    { path: 'deliveries/new', name: 'delivery-new', component: () => import('./NewDeliveryPage.vue'), meta: { permission: 'deliveries.write', title: 'deliveries.new' } },
    { path: 'deliveries/:id(\\d+)', name: 'delivery', component: () => import('./DeliveryPage.vue'), meta: { permission: 'deliveries.read', title: 'deliveries.title' } },
    { path: 'deliveries/:id(\\d+)/files/:file(\\d+)', name: 'delivery-file', component: () => import('./FilePage.vue'), meta: { permission: 'deliveries.read', title: 'deliveries.title' } },
  ],
  navigation: [{ to: '/deliveries', label: 'deliveries.title', icon: FolderOpened, group: 'data', order: 10, permission: 'deliveries.read', key: 'd' }],
}
export default feature
