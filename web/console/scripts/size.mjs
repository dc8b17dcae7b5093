// Weighs what a browser fetches before the first view (sign-in, then home): the entry, what it imports, the
// chunk of the route, and their styles, all gzipped. Fails above 350 kB.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

const limit = 350_000
const dist = new URL('../dist', import.meta.url).pathname
const manifest = JSON.parse(readFileSync(join(dist, '.vite/manifest.json'), 'utf8'))

function collect(key, into) {
  const chunk = manifest[key]
  if (!chunk || into.has(chunk.file)) return
  into.add(chunk.file)
  for (const css of chunk.css ?? []) into.add(css)
  for (const next of chunk.imports ?? []) collect(next, into)
}

const weight = (file) => {
  const path = join(dist, file)
  return statSync(existsSync(`${path}.gz`) ? `${path}.gz` : path).size
}

let failed = false
for (const view of ['src/features/session/SignIn.vue', 'src/features/home/Home.vue']) {
  const files = new Set(['index.html'])
  for (const key of ['index.html', 'src/shared/layout/ShellLayout.vue', view]) collect(key, files)
  const total = [...files].reduce((sum, file) => sum + weight(file), 0)
  console.log(`${view}: ${(total / 1000).toFixed(1)} kB gzip in ${files.size} files (limit ${limit / 1000} kB)`)
  if (process.argv.includes('--files')) for (const file of files) console.log(`  ${weight(file)}  ${file}`)
  failed ||= total > limit
}
process.exit(failed ? 1 : 0)
