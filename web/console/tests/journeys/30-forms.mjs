import assert from 'node:assert/strict'
import { statSync } from 'node:fs'

/** The first figure that opens its people, of the division's own row, and is not 0. */
async function opens(visit) {
  for (const cell of await visit.page.locator('tr.own button[data-cell]').all()) {
    const value = Number((await cell.innerText()).replace(/\D/g, ''))
    if (value > 0) return { cell, value }
  }
  return assert.fail('no figure opens its people')
}
async function form(visit, code, name) {
  await visit.go(`/forms/${code}`)
  await visit.page.waitForSelector('tbody tr.own')
  await visit.look(name)
}

export default [
  {
    name: 'every figure that a clerk clicks opens as many people as it says',
    as: 'operator',
    async run(visit) {
      const { page } = visit
      await form(visit, '2-1', 'form-2-1')
      const { cell, value } = await opens(visit)
      await cell.focus()
      assert.match(await visit.text('.definition'), /第 \d+ 栏/)
      await cell.click()
      await page.waitForSelector('[data-testid=count]')
      assert.equal(await visit.number('[data-testid=count]'), value)
      await page.waitForSelector('[data-testid=equal]')
      await visit.look('form-people')
      await page.keyboard.press('Escape')
      await page.locator('[data-testid=count]').waitFor({ state: 'detached' })
      // The same of a row below.
      const below = page.locator('tbody tr:not(.own) button[data-cell]').first()
      const count = Number((await below.innerText()).replace(/\D/g, ''))
      await below.click()
      await page.waitForSelector('[data-testid=count]')
      assert.equal(await visit.number('[data-testid=count]'), count)
    },
  },
  {
    name: 'checks are said in words',
    as: 'leader',
    smoke: false,
    async run(visit) {
      await form(visit, '2-1', 'form-2-1-leader')
      assert.match(await visit.text('[data-testid=checks]'), /成立/)
      assert.equal(await visit.page.locator('tbody button[data-cell]').count(), 0, 'a leader opens no people')
    },
  },
  {
    name: 'the form is taken as xlsx',
    as: 'operator',
    smoke: false,
    async run(visit) {
      const { page } = visit
      await visit.go('/forms/2-1')
      const waiting = page.waitForEvent('download')
      await page.getByRole('button', { name: '下载 xlsx' }).click()
      const file = await waiting
      assert.match(file.suggestedFilename(), /\.xlsx$/)
      assert.ok(statSync(await file.path()).size > 3000)
    },
  },
  { name: 'form 2-2', as: 'operator', smoke: false, run: (visit) => form(visit, '2-2', 'form-2-2') },
  { name: 'form 1', as: 'operator', smoke: false, run: (visit) => form(visit, '1', 'form-1') },
  { name: 'form 2-1 in English', as: 'operator', locale: 'en', smoke: false, run: (visit) => form(visit, '2-1', 'form-2-1-en') },
  { name: 'form 2-1 in the dark', as: 'operator', theme: 'dark', smoke: false, run: (visit) => form(visit, '2-1', 'form-2-1-dark') },
  {
    name: 'form 2-1 on paper',
    as: 'operator',
    smoke: false,
    async run(visit) {
      await visit.go('/forms/2-1')
      await visit.page.waitForSelector('tbody tr.own')
      await visit.page.emulateMedia({ media: 'print' })
      assert.equal(await visit.page.locator('nav.side').isVisible(), false)
      await visit.page.setViewportSize({ width: 1050, height: 700 })
      await visit.page.screenshot({ path: `${process.env.CANBAO_SCREENS ?? 'screens'}/form-2-1-print.png` })
    },
  },
]
