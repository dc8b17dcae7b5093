import assert from 'node:assert/strict'
import { accounts } from '../browser.mjs'

const page = (path, ready, name) => async (visit) => {
  await visit.go(`/administration/${path}`)
  await visit.page.waitForSelector(ready)
  await visit.look(name)
}

export default [
  {
    name: 'the system administrator makes an account, the security administrator puts it into force',
    as: 'system',
    async run(visit) {
      const { page } = visit
      assert.match(page.url(), /\/administration\/users/, 'an administrator begins at the users')
      await visit.look('users')
      await page.getByRole('button', { name: '新建用户' }).click()
      await page.fill('#user-form input[name=account]', 'qianer')
      await page.fill('#user-form input[name=name]', '钱二')
      await page.getByText('窗口经办', { exact: true }).last().click()
      await visit.look('users-add')
      await page.getByRole('button', { name: '保存' }).click()
      await page.waitForSelector('[data-testid=first-password]')
      const password = await visit.text('[data-testid=first-password]')
      assert.ok(password.length >= 10)
      await page.getByRole('button', { name: '关闭', exact: true }).click()
      assert.equal(await page.locator('tr[data-account=qianer] .deeds button').count(), 0, 'the system administrator grants nothing')
      await visit.context.clearCookies()
      await visit.signIn('security')
      await visit.go('/administration/users')
      await page.locator('tr[data-account=qianer] .deeds button').click()
      await page.getByRole('menuitem', { name: '启用' }).click()
      await page.locator('tr[data-account=qianer] .el-tag--success').waitFor()
      accounts.qianer = { password }
    },
  },
  { name: 'roles', as: 'security', smoke: false, run: page('roles', 'tbody tr', 'roles') },
  { name: 'roles in English', as: 'security', locale: 'en', smoke: false, run: page('roles', 'tbody tr', 'roles-en') },
  { name: 'sources', as: 'system', smoke: false, run: page('sources', '.vxe-body--row', 'sources') },
  {
    name: 'a rule is read word for word',
    as: 'operator',
    smoke: false,
    async run(visit) {
      await visit.go('/administration/policy')
      await visit.page.locator('.list ul button').first().click()
      await visit.page.waitForSelector('pre code')
      await visit.look('policy')
    },
  },
  {
    name: 'a change of a division is recorded',
    as: 'system',
    smoke: false,
    async run(visit) {
      const { page } = visit
      await visit.go('/administration/divisions')
      await page.waitForSelector('.halves tbody tr')
      await visit.look('divisions')
      await page.getByRole('button', { name: '登记变更' }).click()
      await page.fill('#division-change input[name=code]', '330106')
      await page.fill('#division-change input[name=name]', '新西湖区')
      await page.getByRole('combobox', { name: '施行日期' }).fill('2026-01-01')
      await page.keyboard.press('Enter')
      await page.fill('#division-change input[name=source]', '国函〔2025〕1号（示例）')
      await visit.look('divisions-record')
      await page.getByRole('button', { name: '保存' }).click()
      await page.getByText('国函〔2025〕1号（示例）').first().waitFor()
    },
  },
  {
    name: 'the auditor sees who did what and verifies the chain',
    as: 'auditor',
    async run(visit) {
      const { page } = visit
      await visit.go('/administration/audit')
      await page.waitForSelector('.scroll tbody tr')
      await visit.look('audit')
      await page.getByRole('button', { name: '核验完整性' }).click()
      await page.waitForSelector('[data-testid=verdict].el-alert--success')
      await visit.look('audit-verified')
    },
  },
  { name: 'audit in the dark', as: 'auditor', theme: 'dark', smoke: false, run: page('audit', '.scroll tbody tr', 'audit-dark') },
  { name: 'system health', as: 'system', smoke: false, run: page('health', 'tbody tr', 'health') },
]
