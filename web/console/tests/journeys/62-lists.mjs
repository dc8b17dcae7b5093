import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

const list = async (visit, path) => {
  await visit.go(path)
  await visit.page.waitForSelector('.data-table:not(.waits) footer')
}

export default [
  {
    name: 'every list opens, says how many, and looks right',
    as: 'operator',
    smoke: false,
    async run(visit) {
      for (const name of ['to-verify', 'uncovered', 'duplicates', 'discrepancies', 'conflicts', 'rejects']) {
        await list(visit, `/lists/${name}`)
        await visit.look(`list-${name}`)
      }
    },
  },
  {
    name: 'filters stand in the address, narrow the count, are saved by name and used again',
    as: 'operator',
    smoke: false,
    async run(visit) {
      const { page } = visit
      await list(visit, '/lists/uncovered')
      const all = await visit.number('[data-testid=count]')
      await page.locator('.el-select', { has: page.getByRole('combobox', { name: '险种大类' }) }).click()
      await page.getByRole('option', { name: '养老保险' }).first().click()
      await page.waitForURL(/branch=pension/)
      await visit.settle()
      const pension = await visit.number('[data-testid=count]')
      assert.ok(pension > 0 && pension < all, `${pension} of ${all}`)
      await page.getByRole('button', { name: /常用筛选/ }).click()
      await page.getByRole('button', { name: '保存当前筛选' }).click()
      await page.getByRole('dialog').getByRole('textbox').fill('养老应参未参')
      await page.keyboard.press('Enter')
      await page.getByText('已保存').waitFor()
      await list(visit, '/lists/to-verify')
      await page.getByRole('button', { name: /常用筛选/ }).click()
      await page.getByRole('button', { name: /养老应参未参/ }).first().click()
      await page.waitForURL(/uncovered\?.*branch=pension/)
      await visit.settle()
      assert.equal(await visit.number('[data-testid=count]'), pension)
    },
  },
  {
    name: 'pages go by key both ways and jump by number, with the keyboard too',
    as: 'operator',
    async run(visit) {
      const { page } = visit
      await list(visit, '/lists/to-verify')
      const first = () => page.locator('.data-table button.open').first().innerText()
      const began = await first()
      await page.keyboard.press(']')
      await page.waitForURL(/after=/)
      await visit.settle()
      const second = await first()
      assert.notEqual(second, began)
      await page.keyboard.press('[')
      await page.waitForURL(/before=/)
      await visit.settle()
      assert.equal(await first(), began)
      await page.locator('.data-table footer .el-input-number input').fill('2')
      await page.keyboard.press('Enter')
      await page.waitForURL(/page=2/)
      await visit.settle()
      assert.equal(await first(), second)
    },
  },
  {
    name: 'an export is asked for with a purpose, made by a job, downloaded, and listed',
    as: 'operator',
    async run(visit) {
      const { page } = visit
      await list(visit, '/lists/uncovered?branch=pension')
      const count = await visit.number('[data-testid=count]')
      await page.getByRole('button', { name: '导出', exact: true }).first().click()
      const dialog = page.getByRole('dialog')
      await dialog.getByText('csv', { exact: true }).click()
      await dialog.getByRole('textbox').fill('下发各区县核实')
      await visit.look('export-dialog')
      await dialog.getByRole('button', { name: '开始导出' }).click()
      const link = page.getByRole('link', { name: '下载' })
      await link.waitFor({ timeout: 60_000 })
      await visit.look('export-done')
      const [download] = await Promise.all([page.waitForEvent('download'), link.click()])
      const text = readFileSync(await download.path(), 'utf8')
      assert.ok(text.includes('****'), 'masked')
      assert.ok(!/\d{17}[\dX]/.test(text), 'no clear number')
      assert.ok(text.trim().split('\n').length > count, 'a line for each row behind the header')
      await visit.go('/exports')
      await page.getByText('下发各区县核实').first().waitFor()
      await visit.look('exports')
    },
  },
  {
    name: 'a column left out stays out',
    as: 'operator',
    smoke: false,
    async run(visit) {
      const { page } = visit
      await list(visit, '/lists/to-verify')
      await page.getByRole('button', { name: '显示列' }).click()
      await page.locator('.columns').getByText('地址', { exact: true }).click()
      await page.keyboard.press('Escape')
      await page.reload()
      await page.waitForSelector('[data-testid=count]')
      assert.equal(await page.locator('.data-table th', { hasText: '地址' }).count(), 0)
    },
  },
  {
    name: 'in English and in the dark',
    as: 'operator',
    smoke: false,
    locale: 'en',
    theme: 'dark',
    async run(visit) {
      await list(visit, '/lists/duplicates')
      await visit.look('list-en-dark')
    },
  },
]
