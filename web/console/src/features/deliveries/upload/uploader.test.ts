// @vitest-environment node
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { PART, Uploader, type Memory, type Remembered, type Upload, type UploadApi } from './uploader'

// A server of uploads that behaves as the contract says, with faults on demand.
class Server implements UploadApi {
  uploads = new Map<string, { meta: Upload; bytes: Uint8Array[]; want: string }>()
  faults: number[] = [] // status of the next answers to put; 0 = none
  parts: { offset: number; size: number }[] = []

  async begin(what: { name: string; size: number; sha256: string }) {
    const meta: Upload = { id: String(this.uploads.size + 1), name: what.name, size: what.size, received: 0, state: what.size === 0 ? 'complete' : 'open' }
    this.uploads.set(meta.id, { meta, bytes: [], want: what.sha256 })
    return { ...meta }
  }
  async get(id: string) {
    const upload = this.uploads.get(id)
    if (!upload) throw Object.assign(new Error('none'), { status: 404 })
    return { ...upload.meta }
  }
  async put(id: string, offset: number, part: Blob) {
    const fault = this.faults.shift()
    if (fault) throw Object.assign(new Error(String(fault)), { status: fault === -1 ? undefined : fault })
    const upload = this.uploads.get(id)!
    if (offset !== upload.meta.received) throw Object.assign(new Error('offset'), { status: 409 })
    this.parts.push({ offset, size: part.size })
    upload.bytes.push(new Uint8Array(await part.arrayBuffer()))
    upload.meta.received += part.size
    if (upload.meta.received === upload.meta.size) {
      const hash = createHash('sha256')
      for (const b of upload.bytes) hash.update(b)
      upload.meta.state = hash.digest('hex') === upload.want ? 'complete' : 'damaged'
    }
    return { ...upload.meta }
  }
  async drop(id: string) {
    this.uploads.delete(id)
  }
}

function memory(): Memory & { all: Remembered[] } {
  const store = { all: [] as Remembered[], load: () => store.all, save: (all: Remembered[]) => void (store.all = all) }
  return store
}

const digest = async (file: File) => createHash('sha256').update(new Uint8Array(await file.arrayBuffer())).digest('hex')
const make = (server: Server, kept = memory()) => ({ up: new Uploader(server, kept, digest, () => 0), kept })
const file = (name: string, size: number, seed = 1) => new File([Uint8Array.from({ length: size }, (_, i) => (i * seed) & 255)], name)

async function until(test: () => boolean) {
  for (let i = 0; i < 60_000 && !test(); i++) await new Promise((r) => setTimeout(r, 1))
  expect(test()).toBe(true)
}

describe('Uploader', () => {
  it('sends parts of at most 8 MiB, in order, and ends complete', async () => {
    const server = new Server()
    const { up } = make(server)
    up.add([file('a.csv', PART + 10)])
    await until(() => up.items[0]!.state === 'complete')
    expect(server.parts).toEqual([
      { offset: 0, size: PART },
      { offset: PART, size: 10 },
    ])
  })

  it('waits out a server that is gone, and sends no byte twice', async () => {
    const server = new Server()
    server.faults = [-1, 503, 0]
    const { up } = make(server)
    up.add([file('a.csv', 100)])
    await until(() => up.items[0]!.state === 'complete')
    expect(server.parts).toEqual([{ offset: 0, size: 100 }])
  })

  it('goes on where the server is after a conflict', async () => {
    const server = new Server()
    server.faults = [409]
    const { up } = make(server)
    up.add([file('a.csv', 100)])
    await until(() => up.items[0]!.state === 'complete')
  })

  it('fails on a refusal and says why', async () => {
    const server = new Server()
    server.faults = [403]
    const { up } = make(server)
    up.add([file('a.csv', 100)])
    await until(() => up.items[0]!.state === 'failed')
    expect((up.items[0]!.error as { status: number }).status).toBe(403)
    up.resume(up.items[0]!)
    await until(() => up.items[0]!.state === 'complete')
  })

  it('survives a reload: the same file goes on, another begins anew', async () => {
    const server = new Server()
    const first = make(server)
    const big = file('a.csv', PART + 10)
    server.faults = [0, 403]
    first.up.add([big])
    await until(() => first.up.items[0]!.state === 'failed')
    expect(first.kept.all).toHaveLength(1)

    const second = make(server, first.kept)
    await second.up.restore()
    expect(second.up.items[0]).toMatchObject({ state: 'absent', sent: PART })
    second.up.add([file('other.csv', 50, 3), new File([big], 'renamed.csv')])
    await until(() => second.up.items.every((i) => i.state === 'complete'))
    expect(second.up.items.map((i) => i.name).sort()).toEqual(['a.csv', 'other.csv'])
    expect(server.parts.filter((p) => p.offset === 0 && p.size === PART)).toHaveLength(1)
  })

  it('forgets what became a delivery', async () => {
    const server = new Server()
    const { up, kept } = make(server)
    up.add([file('a.csv', 5), file('b.csv', 5, 2)])
    await until(() => up.items.every((i) => i.state === 'complete'))
    up.used(['1'])
    expect(kept.all.map((e) => e.name)).toEqual(['b.csv'])
    expect(up.items.map((i) => i.name)).toEqual(['b.csv'])
  })

  it('removes from page and server', async () => {
    const server = new Server()
    const { up, kept } = make(server)
    up.add([file('a.csv', 5)])
    await until(() => up.items[0]!.state === 'complete')
    await up.remove(up.items[0]!)
    expect([up.items.length, kept.all.length, server.uploads.size]).toEqual([0, 0, 0])
  })
})
