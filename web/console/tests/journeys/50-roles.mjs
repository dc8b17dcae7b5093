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
  { as: 'system', sees: ['/administration/users', '/administration/health'], not: '/persons' },
  { as: 'security', sees: ['/administration/users', '/administration/roles'], not: '/forms/2-1' },
  { as: 'auditor', sees: ['/administration/audit'], not: '/administration/health' },
]

export default roles.map(({ as, sees, not }) => ({
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
}))
