// A duplicate from finding to consolidation: the parties are told, agree, act; where benefits are paid a second person
// approves. Two people, so two browsers.
import assert from 'node:assert/strict'
import { Visit } from '../browser.mjs'

const openCase = async (visit, path) => {
  await visit.go(path)
  await visit.page.waitForSelector('[data-testid=state]')
}
const step = async (visit, name, note) => {
  const { page } = visit
  await page.locator('.steps').getByRole('button', { name, exact: true }).click()
  const dialog = page.getByRole('dialog')
  if (note) await dialog.getByRole('textbox').last().fill(note)
  await dialog.getByRole('button', { name: '确定' }).click()
  await dialog.waitFor({ state: 'hidden' })
  await visit.settle()
}

export default [
  {
    name: 'a duplicate is consolidated; who asks for it does not approve it',
    as: 'reviewer',
    async run(visit) {
      const { page } = visit
      await visit.go('/cases?kind=duplicate&state=found')
      await page.waitForSelector('tbody tr')
      await visit.look('cases')
      const path = new URL(await page.locator('tbody tr td a[href^="/cases/"]').first().evaluate((a) => a.href)).pathname
      await openCase(visit, path)
      await visit.look('case-found')
      await step(visit, '通知各方', '已函告各参保地')
      await page.locator('[data-testid=state]', { hasText: '已通知' }).waitFor()
      await step(visit, '同意保留关系', '经与本人及各地协商一致')
      await page.locator('[data-testid=state]', { hasText: '已协商' }).waitFor()
      await step(visit, '登记办理', '已终止重复关系')
      await page.locator('[data-testid=state]', { hasText: '已办理' }).waitFor()

      const evidence = { name: '情况说明.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n') }
      await page.setInputFiles('[data-testid=evidence]', evidence)
      await page.getByRole('link', { name: '情况说明.pdf' }).waitFor()
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: '情况说明.pdf' }).click()])
      assert.equal(download.suggestedFilename(), '情况说明.pdf')

      await step(visit, '确认整合', '资料齐全')
      await page.locator('[data-testid=state]', { hasText: /已整合|已办理/ }).waitFor()
      if (/已办理/.test(await visit.text('[data-testid=state]'))) {
        // Benefits are paid: another pair of eyes.
        await page.getByText('等待复核').waitFor()
        assert.equal(await page.locator('.steps').getByRole('button', { name: '同意' }).count(), 0, 'not one’s own')
        await visit.look('case-pending')
      }
      await visit.look('case-consolidated')
    },
  },
  {
    name: 'somebody else changed the case meanwhile: it is read again and nothing typed is lost',
    as: 'operator',
    smoke: false,
    async run(visit) {
      const { page } = visit
      await visit.go('/cases?kind=discrepancy')
      await page.waitForSelector('tbody tr')
      const path = new URL(await page.locator('tbody tr td a[href^="/cases/"]').first().evaluate((a) => a.href)).pathname
      await openCase(visit, path)
      const other = await Visit.open()
      await other.signIn('reviewer')
      await openCase(other, path)
      const comment = async (who, words) => {
        await who.page.getByRole('button', { name: '备注' }).click()
        await who.page.getByRole('dialog').getByRole('textbox').fill(words)
        await who.page.getByRole('dialog').getByRole('button', { name: '确定' }).click()
        await who.page.getByRole('dialog').waitFor({ state: 'hidden' })
      }
      await comment(other, '先到的意见')
      await comment(visit, '后到的意见')
      await page.getByText('已被他人更改').waitFor()
      await page.getByText('先到的意见').waitFor()
      await visit.look('case-changed')
      await page.getByRole('button', { name: '备注' }).click()
      assert.equal(await page.getByRole('dialog').getByRole('textbox').inputValue(), '后到的意见')
      await page.getByRole('dialog').getByRole('button', { name: '确定' }).click()
      await page.locator('.timeline').getByText('后到的意见').waitFor()
      await other.close()
    },
  },
  {
    name: 'many cases at once, with what became of each',
    as: 'operator',
    smoke: false,
    async run(visit) {
      const { page } = visit
      await visit.go('/cases?kind=discrepancy')
      await page.waitForSelector('tbody tr')
      await page.locator('thead .el-checkbox').click()
      await page.getByRole('button', { name: '批量办理' }).click()
      const dialog = page.getByRole('dialog')
      await dialog.locator('.el-select').first().click()
      await page.getByRole('option', { name: '指派' }).click()
      await dialog.getByRole('button', { name: '指派给我' }).click()
      await dialog.getByRole('button', { name: '办理', exact: true }).click()
      await dialog.getByText(/成功 \d+ 件/).waitFor()
      await visit.look('cases-bulk')
      await dialog.getByRole('button', { name: '完成' }).click()
      await page.getByText('由我承办').click()
      await page.waitForURL(/assignee=me/)
      await visit.settle()
      assert.ok((await visit.number('[data-testid=count]')) > 0)
    },
  },
  {
    name: 'the review queue is decided by keyboard',
    as: 'reviewer',
    smoke: false,
    async run(visit) {
      const { page } = visit
      await visit.go('/review')
      await page.waitForSelector('tbody tr, .empty-state')
      await visit.look('review')
      if ((await page.locator('tbody tr').count()) === 0) return
      await page.locator('tbody tr').first().focus()
      await page.keyboard.press('l')
      await page.getByText('已选 1 项决定').waitFor()
      await page.getByRole('button', { name: '提交决定' }).click()
      await page.getByText(/已记录 1 项决定/).waitFor()
    },
  },
  {
    name: 'in English and in the dark',
    as: 'reviewer',
    smoke: false,
    locale: 'en',
    theme: 'dark',
    async run(visit) {
      await visit.go('/cases')
      await visit.page.waitForSelector('tbody tr, .empty-state')
      await visit.look('cases-en-dark')
      const link = visit.page.locator('tbody tr td a[href^="/cases/"]').first()
      if ((await link.count()) === 0) return
      await link.click()
      await visit.page.waitForSelector('[data-testid=state]')
      await visit.settle()
      await visit.look('case-en-dark')
    },
  },
]
