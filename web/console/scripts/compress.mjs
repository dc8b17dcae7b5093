// Writes x.gz beside each text asset of dist, so that the service sends it as it lies there.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { join } from 'node:path'

const dist = new URL('../dist', import.meta.url).pathname
for (const name of readdirSync(dist, { recursive: true })) {
  if (!/\.(js|css|html|svg|json)$/.test(name)) continue
  const path = join(dist, name)
  const clear = readFileSync(path)
  const packed = gzipSync(clear, { level: 9 })
  if (packed.length < clear.length) writeFileSync(`${path}.gz`, packed)
}
