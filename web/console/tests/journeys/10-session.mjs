import assert from 'node:assert/strict'
import { accounts, totp } from '../browser.mjs'

export default [
  {
    name: 'a wrong password is refused in words, the right one opens the console, signing out closes it',
    async run(visit) {
      const { page } = visit
      await visit.go('/forms/2-1')
      assert.match(page.url(), /\/sign-in\?to=/)
      await visit.look('session-sign-in')
      await page.fill('input[name=account]', 'operator')
      await page.fill('input[name=password]', 'certainly not this one')
      await page.keyboard.press('Enter')
      await page.waitForSelector('.el-alert--error')
      assert.match(await visit.text('.el-alert--error'), /不正确/)
      await visit.look('session-refused')
      await page.fill('input[name=password]', accounts.operator.password)
      await page.keyboard.press('Enter')
      await page.waitForURL(/\/forms\/2-1$/)
      await page.click('button.account')
      await page.getByRole('menuitem', { name: '退出登录' }).click()
      await page.waitForURL(/\/sign-in/)
      await visit.go('/')
      assert.match(page.url(), /\/sign-in/)
    },
  },
  {
    name: 'the first password is changed before anything else',
    smoke: false,
    async run(visit) {
      const { page } = visit
      await visit.signIn('newcomer')
      assert.match(page.url(), /\/first-steps/)
      await visit.look('session-first-password')
      await page.fill('input[name=old]', accounts.newcomer.password)
      await page.fill('input[name=new]', 'short')
      await page.waitForSelector('small.bad')
      await page.fill('input[name=new]', 'Lantern-Harbour-42-quiet')
      await page.fill('input[name=again]', 'Lantern-Harbour-42-quiet')
      await page.keyboard.press('Enter')
      await page.waitForSelector('[data-step]')
      accounts.newcomer.password = 'Lantern-Harbour-42-quiet'
    },
  },
  {
    name: 'an administrator sets up the second factor and signs in with it',
    async run(visit) {
      const { page } = visit
      await visit.signIn('newadmin')
      await page.fill('input[name=old]', accounts.newadmin.password)
      await page.fill('input[name=new]', 'Copper-Meadow-57-slowly')
      await page.fill('input[name=again]', 'Copper-Meadow-57-slowly')
      await page.keyboard.press('Enter')
      await page.getByRole('button', { name: '设置' }).last().click()
      await page.waitForSelector('img[alt*="二维码"]')
      await visit.look('session-first-totp')
      const secret = (await visit.text('[data-testid=secret]')).replace(/\s/g, '')
      await page.fill('input[name=code]', totp(secret))
      await page.keyboard.press('Enter')
      await page.waitForURL(/\/administration\//)
      accounts.newadmin = { password: 'Copper-Meadow-57-slowly', totp_secret: secret }
    },
  },
  {
    name: 'a session that has ended leads to signing in and back to the same page',
    as: 'operator',
    smoke: false,
    async run(visit) {
      const { page } = visit
      await visit.go('/forms/2-2')
      await visit.context.clearCookies()
      await page.getByRole('link', { name: '首页' }).click()
      await page.waitForURL(/\/sign-in\?.*expired=1/)
      assert.match(await visit.text('.el-alert'), /登录已失效/)
      await page.fill('input[name=account]', 'operator')
      await page.fill('input[name=password]', accounts.operator.password)
      await page.keyboard.press('Enter')
      await page.waitForSelector('header.top')
      assert.doesNotMatch(page.url(), /sign-in/)
    },
  },
  {
    name: 'own sessions are listed',
    as: 'operator',
    smoke: false,
    async run(visit) {
      await visit.go('/account')
      await visit.page.waitForSelector('.own tbody tr')
      await visit.look('session-account')
    },
  },
]
