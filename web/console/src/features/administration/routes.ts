import { Collection, Lock, Monitor, OfficeBuilding, Tickets, Upload, User } from '@element-plus/icons-vue'
import type { Feature } from '@/shared/navigation'

const page = (path: string) => `/administration/${path}`

export default {
  routes: [
    { path: page('users'), component: () => import('./Users.vue'), meta: { permission: 'users.read', title: 'administration.users.title' } },
    { path: page('roles'), component: () => import('./Roles.vue'), meta: { permission: 'users.read', title: 'administration.roles.title' } },
    { path: page('divisions'), component: () => import('./Divisions.vue'), meta: { permission: 'policy.read', title: 'administration.divisions.title' } },
    { path: page('sources'), component: () => import('./Sources.vue'), meta: { permission: 'policy.read', title: 'administration.sources.title' } },
    { path: page('policy'), component: () => import('./Policy.vue'), meta: { permission: 'policy.read', title: 'administration.policy.title' } },
    { path: page('audit'), component: () => import('./Audit.vue'), meta: { permission: 'audit.read', title: 'administration.audit.title' } },
    { path: page('health'), component: () => import('./Health.vue'), meta: { permission: 'system.read', title: 'administration.health.title' } },
  ],
  navigation: [
    { to: page('users'), label: 'administration.users.title', icon: User, group: 'administration', order: 10, permission: 'users.read', key: 'u' },
    { to: page('roles'), label: 'administration.roles.title', icon: Lock, group: 'administration', order: 20, permission: 'users.read' },
    { to: page('divisions'), label: 'administration.divisions.title', icon: OfficeBuilding, group: 'administration', order: 30, permission: 'policy.read' },
    { to: page('sources'), label: 'administration.sources.title', icon: Upload, group: 'administration', order: 40, permission: 'policy.read' },
    { to: page('policy'), label: 'administration.policy.title', icon: Collection, group: 'administration', order: 50, permission: 'policy.read' },
    { to: page('audit'), label: 'administration.audit.title', icon: Tickets, group: 'administration', order: 60, permission: 'audit.read', key: 'a' },
    { to: page('health'), label: 'administration.health.title', icon: Monitor, group: 'administration', order: 70, permission: 'system.read', key: 's' },
  ],
} satisfies Feature
