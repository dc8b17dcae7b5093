import type { Feature } from '@/shared/navigation'

export default {
  routes: [
    { path: '/sign-in', component: () => import('./SignIn.vue'), meta: { public: true, title: 'session.title' } },
    { path: '/first-steps', component: () => import('./FirstSteps.vue'), meta: { title: 'session.first.title' } },
    { path: '/account', component: () => import('./Account.vue'), meta: { title: 'session.security' } },
  ],
} satisfies Feature
