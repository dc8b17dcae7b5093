// Routes of all features, collected from src/features/*/routes.ts, and the one guard: a session first, then what
// the session must do (change the first password, set up the second factor), then the permission of the page.
import { createRouter, createWebHistory, type RouteLocationNormalized } from 'vue-router'
import { t } from '@/i18n'
import type { Feature, NavigationItem } from '@/shared/navigation'
import { can, session } from '@/shared/session'

const features = Object.values(import.meta.glob<Feature>('../features/*/routes.ts', { eager: true, import: 'default' }))

const groups: NavigationItem['group'][] = ['work', 'data', 'administration']
export const navigation: NavigationItem[] = features
  .flatMap((feature) => feature.navigation ?? [])
  .sort((a, b) => groups.indexOf(a.group) - groups.indexOf(b.group) || a.order - b.order)

const routes = features.flatMap((feature) => feature.routes)

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    ...routes.filter((route) => route.meta?.public),
    {
      path: '/',
      component: () => import('@/shared/layout/ShellLayout.vue'),
      children: [
        ...routes.filter((route) => !route.meta?.public),
        { path: 'forbidden', name: 'forbidden', component: () => import('@/shared/layout/Forbidden.vue') },
        { path: ':rest(.*)*', name: 'missing', component: () => import('@/shared/layout/Missing.vue') },
      ],
    },
  ],
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
})

function signIn(to: RouteLocationNormalized) {
  return { path: '/sign-in', query: to.fullPath === '/' ? {} : { to: to.fullPath } }
}

router.beforeEach(async (to) => {
  if (!session.loaded) await session.load()
  if (to.meta.public) return true
  if (!session.current) return signIn(to)
  if (session.current.must.length > 0 && to.path !== '/first-steps') return { path: '/first-steps', query: { to: to.fullPath } }
  const needed = to.matched.map((each) => each.meta.permission).find((permission) => !can(permission))
  if (needed && to.path === '/') {
    // Nobody's front door is locked: administrators without figures begin at the first page that is theirs.
    const first = navigation.find((item) => can(item.permission))
    return first ? { path: first.to } : { path: '/account' }
  }
  if (needed) return { name: 'forbidden', query: { permission: needed } }
  return true
})

router.afterEach((to) => {
  document.title = to.meta.title ? `${t(to.meta.title)} · ${t('common.product')}` : t('common.productLong')
})

session.whenExpired(() => {
  const here = router.currentRoute.value
  if (!here.meta.public) void router.push({ path: '/sign-in', query: { to: here.fullPath, expired: '1' } })
})
