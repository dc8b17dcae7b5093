// An operator takes a delivery from upload to the account of its comparison, without a terminal. The files are
// those of CANBAO_DELIVERY, a folder with a manifest that whoever starts the journeys has made.
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folder = process.env.CANBAO_DELIVERY
const files = () => readdirSync(folder).filter((name) => !name.startsWith('.') && !['truth', 'expected'].some((word) => name.startsWith(word))).filter((name) => name === 'manifest.toml' || readFileSync(join(folder, 'manifest.toml'), 'utf8').includes(`"${name}"`))

const complete = (page, n) => page.waitForFunction((want) => document.querySelectorAll('tr[data-state=complete]').length === want, n, { timeout: 60_000 })

async function upload(visit, names) {
  const { page } = visit
  await visit.go('/deliveries/new')
  await page.setInputFiles('[data-testid=files]', names.map((name) => join(folder, name)))
  await complete(page, names.length)
}

export default [
  {
    name: 'upload, profile, dry run, accept, compare, account',
    as: 'operator',
    async run(visit) {
      const { page } = visit
      const names = files()
      assert.ok(names.length > 5, folder)
      await upload(visit, names)
      await page.getByText('已包含清单').waitFor()
      await visit.look('delivery-uploaded')
      await page.getByLabel('交付名称').fill('浏览器走查的交付')
      await page.getByRole('button', { name: '建立交付' }).click()
      await page.waitForURL(/\/deliveries\/\d+$/)
      const state = (words) => page.locator('[data-testid=state]', { hasText: words }).waitFor({ timeout: 120_000 })
      await state('已查看')
      await visit.look('delivery-profiled')

      await page.getByRole('link', { name: 'pension_employee_330100.csv' }).click()
      await page.getByRole('heading', { name: /^列/ }).waitFor()
      await visit.look('delivery-file')
      await page.getByRole('button', { name: '修改对照' }).click()
      await page.getByText('列与代码对照').waitFor()
      await visit.look('delivery-mapping')
      await page.getByRole('button', { name: '取消' }).click()
      await page.getByRole('link', { name: '返回交付' }).click()

      await page.getByRole('button', { name: '试运行' }).click()
      await state('已试运行')
      await page.getByRole('tab', { name: /错误/ }).click()
      await page.waitForSelector('.data-table [data-testid=count], .data-table .open, .data-table tbody tr, .empty-state')
      await visit.look('delivery-errors')
      const link = page.getByRole('link', { name: /下载拒收行/ })
      if ((await link.count()) > 0) {
        const [download] = await Promise.all([page.waitForEvent('download'), link.click()])
        assert.match(download.suggestedFilename(), /\.xlsx$/)
        assert.equal(readFileSync(await download.path()).subarray(0, 2).toString(), 'PK')
      }
      await page.getByRole('button', { name: '接收', exact: true }).click()
      await page.getByRole('dialog').getByRole('button', { name: '接收' }).click()
      await state('已接收')

      await page.getByRole('link', { name: '去比对' }).click()
      await page.getByRole('button', { name: '开始比对' }).waitFor()
      await visit.look('comparison-start')
      await page.getByRole('button', { name: '开始比对' }).click()
      await page.waitForURL(/\/comparison\/jobs\/\d+/)
      await visit.look('comparison-running')
      // A reload loses nothing: the job is the service's.
      await page.reload()
      await page.getByRole('link', { name: '查看比对结果' }).waitFor({ timeout: 180_000 })
      await visit.look('comparison-done')
      await page.getByRole('link', { name: '查看比对结果' }).click()
      await page.locator('[data-testid=balance]').waitFor()
      assert.equal(await visit.text('[data-testid=balance]'), '全部平衡')
      assert.equal(await page.locator('td.bad', { hasText: '✗' }).count(), 0)
      await visit.look('comparison-account')
      await visit.go('/deliveries')
      await page.locator('tr', { hasText: '浏览器走查的交付' }).first().getByText('已入库').waitFor()
      await visit.look('deliveries')
    },
  },
  {
    name: 'an upload that was cut off goes on after a reload with the same file',
    as: 'operator',
    smoke: false,
    async run(visit) {
      const { page } = visit
      const big = join(mkdtempSync(join(tmpdir(), 'canbao-')), 'student_330000.csv')
      writeFileSync(big, Buffer.alloc(20 << 20, 'a,b,c\n'))
      await visit.go('/deliveries/new')
      let parts = 0
      await page.route('**/api/v1/uploads/*?offset=*', async (route) => {
        parts += 1
        if (parts === 2) return route.abort() // the line breaks behind the first part
        await route.continue()
      })
      await page.setInputFiles('[data-testid=files]', big)
      await page.waitForSelector('tr[data-state=waiting]', { timeout: 30_000 })
      await page.getByRole('button', { name: '暂停' }).click()
      await page.waitForSelector('tr[data-state=paused]')
      // The broken line is this journey's own doing.
      visit.faults = visit.faults.filter((each) => !each.includes('ERR_FAILED'))
      await page.unroute('**/api/v1/uploads/*?offset=*')
      await page.reload()
      await page.waitForSelector('tr[data-state=absent]')
      await visit.look('upload-absent')
      const offsets = []
      page.on('request', (request) => request.method() === 'PATCH' && offsets.push(Number(new URL(request.url()).searchParams.get('offset'))))
      await page.setInputFiles('[data-testid=files]', big)
      await page.waitForSelector('tr[data-state=complete]', { timeout: 60_000 })
      assert.ok(offsets.length > 0 && Math.min(...offsets) === 8 << 20, `went on at ${offsets}`)
      await page.getByRole('button', { name: '移除' }).click()
      await page.locator('tr[data-state]').first().waitFor({ state: 'detached' })
    },
  },
  {
    name: 'files without a manifest are described, with guesses from their names',
    as: 'operator',
    smoke: false,
    locale: 'en',
    theme: 'dark',
    async run(visit) {
      const { page } = visit
      await upload(visit, ['death_330000.csv', 'pension_employee_330100.csv'])
      await page.getByText('There is no manifest.toml').waitFor()
      await visit.look('delivery-described')
      assert.match(await page.locator('tr', { hasText: 'death_330000.csv' }).last().innerText(), /Deaths/)
      while ((await page.locator('tr[data-state]').count()) > 0) {
        await page.getByRole('button', { name: 'Remove' }).first().click()
        await page.waitForTimeout(200)
      }
    },
  },
]
