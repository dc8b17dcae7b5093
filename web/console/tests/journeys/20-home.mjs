import assert from 'node:assert/strict'

async function home(visit, name) {
  await visit.go('/')
  await visit.page.waitForSelector('[data-step]')
  await visit.look(name)
}

export default [
  {
    name: 'a leader sees the level on one page, goes down and comes back',
    as: 'leader',
    async run(visit) {
      const { page } = visit
      await home(visit, 'home')
      const tall = await page.evaluate(() => document.documentElement.scrollHeight - window.innerHeight)
      assert.ok(tall <= 80, `home is ${tall} px higher than the window`)
      const whole = await visit.number('[data-step=registered]')
      assert.ok(whole > 0)
      await page.locator('[data-division]').first().click()
      await page.waitForURL(/division=\d+/)
      await visit.settle()
      await page.waitForFunction((before) => Number(document.querySelector('[data-step=registered]')?.textContent?.replace(/\D/g, '')) < before, whole)
      await visit.look('home-city')
      await page.goBack()
      await page.waitForFunction((before) => Number(document.querySelector('[data-step=registered]')?.textContent?.replace(/\D/g, '')) === before, whole)
    },
  },
  { name: 'in English', as: 'leader', locale: 'en', smoke: false, run: (visit) => home(visit, 'home-en') },
  { name: 'in the dark', as: 'leader', theme: 'dark', smoke: false, run: (visit) => home(visit, 'home-dark') },
  {
    name: 'the keyboard goes everywhere',
    as: 'operator',
    async run(visit) {
      const { page } = visit
      await visit.go('/')
      await page.keyboard.press('g')
      await page.keyboard.press('f')
      await page.waitForURL(/\/forms/)
      await page.keyboard.press('?')
      await page.waitForSelector('.el-dialog kbd')
      await visit.look('shortcuts')
      await page.keyboard.press('Escape')
      await page.locator('.el-dialog').waitFor({ state: 'hidden' })
      await page.keyboard.press('d')
      await page.waitForSelector('.panel .found li')
      await visit.look('division-picker')
      await page.keyboard.press('Escape')
    },
  },
]
