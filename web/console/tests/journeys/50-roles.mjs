import assert from 'node:assert/strict'
import { all } from '../browser.mjs'

// What stands in each role's navigation and where it may not go.
const roles = [
  { as: 'leader', sees: ['/', '/forms'], not: '/persons' },
  { as: 'liaison', sees: ['/', '/deliveries'], not: '/persons' },
  { as: 'surveyor', sees: ['/', '/persons'], not: '/administration/users' },
  { as: 'clerk', sees: ['/', '/persons', '/cases'], not: '/deliveries' },
  { as: 'reviewer', sees: ['/', '/persons', '/cases', '/deliveries'], not: '/administration/audit' },
  { as: 'operator', sees: ['/', '/persons', '/cases', '/deliveries'], not: '/administration/audit' },
  { as: 'county', sees: ['/', '/persons', '/cases', '/deliveries'], not: '/administration/users' },
  { as: 'street', sees: ['/', '/persons', '/lists', '/cases'], not: '/deliveries' },
  { as: 'system', sees: ['/administration/users', '/administration/health'], not: '/persons' },
  { as: 'security', sees: ['/administration/users', '/administration/roles'], not: '/forms/2-1' },
  { as: 'auditor', sees: ['/administration/audit'], not: '/administration/health' },
]

const levels = [
  {
    name: 'a county sees its own figures, in the header and in the people behind them',
    as: 'county',
    smoke: false,
    async run(visit) {
      const { page } = visit
      await page.waitForSelector('[data-step]')
      assert.match(await visit.text('header.top'), /上城区/)
      await visit.look('home-county')
      await visit.go('/forms/2-1')
      await page.waitForSelector('tbody tr.own')
      await visit.look('form-2-1-county')
      // Another county is as unknown as none.
      await visit.go('/?division=330106')
      await page.waitForSelector('.error-state')
      await visit.look('home-not-ones-own')
    },
  },
  {
    name: 'a street has lists and persons of its own and is told that figures end at the county',
    as: 'street',
    async run(visit) {
      const { page } = visit
      await page.getByText('汇总数统计到区县').waitFor()
      await visit.look('home-street')
      await visit.go('/lists/uncovered')
      await page.waitForSelector('.data-table:not(.waits) footer')
      assert.ok((await visit.number('[data-testid=count]')) > 0)
      await visit.look('list-street')
      if (!all) return
      await visit.go('/forms/2-1')
      await page.waitForSelector('.error-state')
      await visit.look('form-street')
    },
  },
]

export default levels.concat(roles.map(({ as, sees, not }) => ({
  name: `${as} has the way to what the role is for and to nothing else`,
  as,
  async run(visit) {
    const links = await visit.page.locator('nav.side li a').evaluateAll((all) => all.map((each) => new URL(each.href).pathname))
    for (const path of sees) assert.ok(links.includes(path), `${as} sees ${path}: ${links.join(' ')}`)
    assert.ok(!links.includes(not), `${as} does not see ${not}`)
    await visit.go(not)
    assert.match(visit.page.url(), /\/forbidden/)
    if (all) await visit.look(`forbidden-${as}`)
  },
})))
