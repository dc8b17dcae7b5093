// Runs the journeys against a service that is there (CANBAO_URL, CANBAO_ACCOUNTS) and writes what became of each to
// CANBAO_OUTCOMES as JSON: [{name, error}]. tests/e2e/test_console.py starts the service and this.
//
//   node tests/run.mjs [--all] [--list] [PART OF A NAME]
import { readdirSync, writeFileSync } from 'node:fs'
import { all, start, stop, Visit } from './browser.mjs'

const part = process.argv.slice(2).find((word) => !word.startsWith('--')) ?? ''
const folder = new URL('./journeys/', import.meta.url)
const journeys = []
for (const file of readdirSync(folder).sort()) {
  const { default: list } = await import(new URL(file, folder))
  journeys.push(...list.map((each) => ({ ...each, name: `${file.replace('.mjs', '')}: ${each.name}` })))
}

if (process.argv.includes('--list')) {
  for (const { name, smoke = true } of journeys) if (smoke || all) console.log(name)
  process.exit(0)
}
await start()
const outcomes = []
for (const { name, smoke = true, run, as, ...look } of journeys) {
  if ((!smoke && !all) || !name.includes(part)) continue
  const begun = Date.now()
  let error = null
  const visit = await Visit.open(look)
  try {
    if (as) await visit.signIn(as)
    await run(visit)
    await visit.close()
  } catch (caught) {
    error = String(caught?.stack ?? caught)
    if (visit.faults.length > 0) error += `\n${visit.faults.join('\n')}`
    await visit.page.screenshot({ path: `${process.env.CANBAO_SCREENS ?? 'screens'}/failed-${name.replace(/\W+/g, '-')}.png` }).catch(() => undefined)
    await visit.context.close().catch(() => undefined)
  }
  outcomes.push({ name, error, seconds: (Date.now() - begun) / 1000 })
  if (process.env.CANBAO_OUTCOMES) writeFileSync(process.env.CANBAO_OUTCOMES, JSON.stringify(outcomes))
  console.log(`${error ? 'FAILED' : 'ok'} ${name} (${((Date.now() - begun) / 1000).toFixed(1)} s)${error ? `\n${error}` : ''}`)
}
await stop()
process.exit(outcomes.some((each) => each.error) || outcomes.length === 0 ? 1 : 0)
