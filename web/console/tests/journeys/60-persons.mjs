import assert from 'node:assert/strict'

// Somebody with a name of their own, taken from the first page of a list: journeys know no data by heart.
async function somebody(visit) {
  await visit.go('/lists/to-verify')
  await visit.page.waitForSelector('[data-testid=count]')
  await visit.page.locator('.data-table button.open').first().click()
  await visit.page.waitForURL(/\/persons\/\d+/)
  await visit.settle()
  return visit.page.url().match(/persons\/(\d+)/)[1]
}

export default [
  {
    name: 'a clerk who knows the number finds the person: one purpose, one number, Enter twice',
    as: 'clerk',
    async run(visit) {
      const { page } = visit
      await somebody(visit)
      // The number as it stands on the card in the clerk's hand.
      await page.getByRole('button', { name: '查看明文' }).click()
      await page.getByRole('dialog').getByLabel('查看用途').fill('核对身份证')
      await page.getByRole('dialog').getByRole('button', { name: '查看明文' }).click()
      await page.waitForSelector('dd.clear')
      const number = (await page.locator('dl.identity > div', { hasText: '公民身份号码' }).locator('dd').innerText()).trim()
      assert.match(number, /^\d{17}[\dX]$/)
      await visit.look('person-revealed')
      await page.getByRole('button', { name: '立即遮盖' }).click()
      await page.waitForFunction((n) => !document.body.innerText.includes(n), number)

      await page.getByRole('link', { name: '首页' }).click()
      await page.getByRole('link', { name: '人员查询' }).click()
      await page.waitForSelector('input[name=who]')
      await page.locator('.purpose .el-select').click()
      await page.getByRole('option').first().click()
      await page.fill('input[name=who]', number)
      await page.keyboard.press('Enter')
      await page.waitForSelector('.results tbody tr')
      await visit.look('persons-found')
      await page.locator('.results tbody tr').first().press('Enter')
      await page.waitForURL(/\/persons\/\d+/)
      await page.waitForSelector('dl.identity')
      assert.ok(!page.url().includes(number), 'the number stands in no address')
      assert.ok(!(await page.locator('main').innerText()).includes(number), 'masked again')
      await visit.look('person')
    },
  },
  {
    name: 'a name of nobody finds nobody, in words; the purpose is asked for first',
    as: 'clerk',
    smoke: false,
    async run(visit) {
      const { page } = visit
      await visit.go('/persons')
      await page.fill('input[name=who]', '无此人')
      await page.keyboard.press('Enter')
      await page.waitForSelector('.purpose [role=alert]')
      await page.locator('.purpose .el-select').click()
      await page.getByRole('option').first().click()
      await page.focus('input[name=who]')
      await page.keyboard.press('Enter')
      await page.getByText('没有找到符合条件的人').waitFor()
      await visit.look('persons-nobody')
    },
  },
  {
    name: 'a person’s page by keyboard: enrolments, why rows were linked, who looked',
    as: 'clerk',
    smoke: false,
    locale: 'en',
    theme: 'dark',
    async run(visit) {
      const { page } = visit
      const key = await somebody(visit)
      await page.locator('.matrix').getByText('Table', { exact: true }).click()
      await page.waitForSelector('.matrix table')
      await page.getByRole('button', { name: 'Show why rows were linked' }).press('Enter')
      await page.locator('#part-links table').waitFor()
      await page.getByRole('button', { name: 'Show who looked' }).press('Enter')
      await page.locator('#part-looks table').waitFor()
      assert.match(await page.locator('#part-looks tbody').innerText(), /clerk/)
      await visit.look('person-en-dark')
      // Another person's key in the address is nobody outside of one's division, and says so in words.
      await visit.go('/persons/9000000000000000000')
      await page.waitForSelector('.error-state')
      assert.ok(key)
    },
  },
  {
    name: 'clear values are masked after a minute and when the page is left',
    as: 'clerk',
    smoke: false,
    async run(visit) {
      const { page } = visit
      await somebody(visit)
      await page.clock.install()
      await page.getByRole('button', { name: '查看明文' }).click()
      await page.getByRole('dialog').getByLabel('查看用途').fill('核对身份证')
      await page.getByRole('dialog').getByRole('button', { name: '查看明文' }).click()
      await page.waitForSelector('dd.clear')
      await page.clock.fastForward(61_000)
      await page.locator('dd.clear').first().waitFor({ state: 'detached' })
    },
  },
]
