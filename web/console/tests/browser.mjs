// What the journeys share: the browser, signing in, one-time codes, pictures, and a look at each screen with axe.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

export const base = process.env.CANBAO_URL ?? 'http://127.0.0.1:8080'
/** account → {password, totp_secret?}; made by whoever starts the journeys. */
export const accounts = JSON.parse(process.env.CANBAO_ACCOUNTS ?? '{}')
const screens = process.env.CANBAO_SCREENS ?? 'screens'
/** All of the journeys are walked, not the smoke set only. */
export const all = process.argv.includes('--all')
mkdirSync(screens, { recursive: true })

let browser
export async function start() {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-dev-shm-usage'] })
}
export async function stop() {
  await browser?.close()
}

/** RFC 6238 with SHA-1 and six digits. */
export function totp(secret, now = Date.now()) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  let bits = ''
  for (const letter of secret.replace(/[\s=]/g, '')) bits += alphabet.indexOf(letter).toString(2).padStart(5, '0')
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)))
  const step = Buffer.alloc(8)
  step.writeBigUInt64BE(BigInt(Math.floor(now / 30_000)))
  const mac = createHmac('sha1', key).update(step).digest()
  const at = mac[19] & 15
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

/** Cookies of open sessions: the service limits how often one address signs in. */
const kept = new Map()

/** A browser of one person: a page that minds errors of scripts, the content security policy and the console. */
export class Visit {
  static async open({ locale = 'zh-CN', theme = 'light' } = {}) {
    const visit = new Visit()
    visit.context = await browser.newContext({ viewport: { width: 1366, height: 768 }, locale: 'zh-CN', acceptDownloads: true, reducedMotion: 'reduce' })
    await visit.context.addInitScript(([language, look]) => {
      localStorage.setItem('canbao.locale', language)
      localStorage.setItem('canbao.theme', look)
    }, [locale, theme])
    visit.page = await visit.context.newPage()
    visit.page.setDefaultTimeout(120_000) // the machine may be busy with other tests
    visit.faults = []
    // Requests on their way; events of a job stay open for as long as it runs.
    visit.open = new Set()
    visit.page.on('request', (request) => /\/events$/.test(new URL(request.url()).pathname) || visit.open.add(request))
    for (const end of ['requestfinished', 'requestfailed']) visit.page.on(end, (request) => visit.open.delete(request))
    visit.page.on('pageerror', (error) => visit.faults.push(`script: ${error.message}`))
    visit.page.on('console', (message) => {
      const words = message.text()
      // What the service refuses is part of some journeys; the page shows it.
      if (message.type() === 'error' && !/status of 4\d\d/.test(words)) visit.faults.push(`console: ${words.slice(0, 300)}`)
    })
    visit.page.on('response', (response) => {
      if (response.status() >= 500) visit.faults.push(`${response.status()} ${response.request().method()} ${new URL(response.url()).pathname}`)
    })
    return visit
  }

  async go(path) {
    await this.page.goto(base + path)
    await this.settle()
  }
  /** Nothing is on its way for a moment and no skeleton stands where data will be. */
  async settle() {
    for (let quiet = 0, waited = 0; quiet < 3 && waited < 600; waited += 1) {
      await this.page.waitForTimeout(50)
      quiet = this.open.size === 0 ? quiet + 1 : 0
    }
    await this.page.locator('.el-skeleton').first().waitFor({ state: 'detached' }).catch(() => undefined)
  }

  /** Signs in, or goes on in the session that an earlier journey of the account has left open. */
  async signIn(account) {
    if (kept.has(account)) {
      await this.context.addCookies(kept.get(account))
      await this.go('/')
      return
    }
    const { password, totp_secret: secret } = accounts[account] ?? assert.fail(`no account ${account}`)
    await this.go('/sign-in')
    await this.page.fill('input[name=account]', account)
    await this.page.fill('input[name=password]', password)
    await this.page.keyboard.press('Enter')
    if (secret) {
      await this.page.waitForSelector('input[name=totp]')
      await this.page.fill('input[name=totp]', totp(secret))
      await this.page.keyboard.press('Enter')
    }
    await this.page.waitForSelector('header.top')
    await this.settle()
    kept.set(account, await this.context.cookies())
  }

  /** A picture for people, and no serious finding of axe. */
  async look(name) {
    await this.page.waitForTimeout(150)
    await this.page.screenshot({ path: join(screens, `${name}.png`) })
    if (!(await this.page.evaluate(() => 'axe' in globalThis))) await this.page.evaluate(axe)
    const { violations } = await this.page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }))
    const serious = violations.filter((each) => ['serious', 'critical'].includes(each.impact))
    assert.deepEqual(serious.map((each) => `${each.id}: ${each.nodes[0].html.slice(0, 200)}`), [], `axe on ${name}`)
    const wide = await this.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    assert.ok(wide <= 0, `${name} is ${wide} px wider than the window`)
  }

  text(selector) {
    return this.page.locator(selector).first().innerText()
  }
  async number(selector) {
    return Number((await this.text(selector)).replace(/[^\d]/g, ''))
  }
  async close() {
    await this.context.close()
    assert.deepEqual(this.faults, [], 'faults in the browser')
  }
}
