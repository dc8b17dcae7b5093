// Files on their way to the server, one after the other: hashed in a worker, then sent in parts of
// at most 8 MiB from where the server says it is. What is open is remembered by the browser, so that
// after a reload (or on the next day) the same file goes on where it stopped: it is recognised by its
// digest, never by its name. One Uploader for the whole page; `items` is reactive.
import { reactive } from 'vue'
import type { HashMessage } from './sha256.worker'

export interface Upload {
  id: string
  name: string
  size: number
  received: number
  sha256?: string | null
  state: 'open' | 'complete' | 'damaged' | 'used'
}

export interface UploadApi {
  begin(what: { name: string; size: number; sha256: string }, key: string): Promise<Upload>
  get(id: string): Promise<Upload>
  put(id: string, offset: number, part: Blob, signal: AbortSignal): Promise<Upload>
  drop(id: string): Promise<void>
}

// What is kept of an open upload in the browser.
export interface Remembered {
  id: string
  name: string
  size: number
  sha256: string
}

export interface Memory {
  load(): Remembered[]
  save(all: Remembered[]): void
}

export type ItemState =
  | 'queued' // its turn has not come
  | 'hashing'
  | 'sending'
  | 'waiting' // the server cannot be reached; tries again by itself
  | 'paused'
  | 'absent' // open at the server, its file has to be chosen again
  | 'complete'
  | 'damaged' // what arrived is not what was sent
  | 'failed'

export interface Item {
  key: number
  id: string | null
  name: string
  size: number
  sha256: string | null
  hashed: number
  sent: number
  rate: number // bytes a second while sending
  state: ItemState
  error: unknown
  file: File | null
}

export const PART = 8 << 20

// What is the caller's fault does not get better by being tried again.
function isTransient(error: unknown): boolean {
  const status = (error as { status?: number }).status
  return status === undefined || status === 0 || status === 408 || status === 429 || status >= 500
}

export class Uploader {
  readonly items = reactive<Item[]>([])
  private nextKey = 1
  private running = false
  private abort: AbortController | null = null
  private wake: (() => void) | null = null

  constructor(
    private readonly api: UploadApi,
    private readonly memory: Memory,
    private readonly hash: (file: File, progress: (done: number) => void, signal: AbortSignal) => Promise<string> = hashInWorker,
    private readonly delay: (ms: number) => number = (ms) => ms,
  ) {}

  // What an earlier page left open, and what it had finished without making a delivery of it.
  async restore(): Promise<void> {
    for (const known of this.memory.load()) {
      if (this.items.some((item) => item.id === known.id)) continue
      try {
        const upload = await this.api.get(known.id)
        if (upload.state === 'used') {
          this.forget(known.id)
          continue
        }
        this.items.push({
          key: this.nextKey++, id: known.id, name: known.name, size: known.size, sha256: known.sha256, hashed: known.size,
          sent: upload.received, rate: 0, error: null, file: null,
          state: upload.state === 'complete' ? 'complete' : upload.state === 'damaged' ? 'damaged' : 'absent',
        })
      } catch (error) {
        if (!isTransient(error)) this.forget(known.id)
      }
    }
  }

  add(files: Iterable<File>): void {
    for (const file of files) {
      // Through `items`, so that later changes are seen by the page.
      this.items.push({
        key: this.nextKey++, id: null, name: file.name, size: file.size, sha256: null, hashed: 0, sent: 0, rate: 0, state: 'queued', error: null, file,
      })
    }
    void this.run()
  }

  pause(item: Item): void {
    const active = item.state === 'hashing' || item.state === 'sending' || item.state === 'waiting'
    if (!active && item.state !== 'queued') return
    item.state = 'paused'
    if (active) {
      this.abort?.abort()
      this.wake?.()
    }
  }

  resume(item: Item): void {
    if (item.state !== 'paused' && item.state !== 'failed') return
    item.error = null
    item.state = item.file ? 'queued' : 'absent'
    void this.run()
  }

  // Takes it off the page and off the server.
  async remove(item: Item): Promise<void> {
    this.pause(item)
    const at = this.items.findIndex((other) => other.key === item.key)
    if (at >= 0) this.items.splice(at, 1)
    if (item.id !== null) {
      this.forget(item.id)
      await this.api.drop(item.id).catch(() => undefined) // the server clears what nobody finishes
    }
  }

  // They have become a delivery.
  used(ids: string[]): void {
    for (const id of ids) {
      this.forget(id)
      const at = this.items.findIndex((item) => item.id === id)
      if (at >= 0) this.items.splice(at, 1)
    }
  }

  get busy(): boolean {
    return this.items.some((i) => ['queued', 'hashing', 'sending', 'waiting'].includes(i.state))
  }

  private async run(): Promise<void> {
    if (this.running) return
    this.running = true
    try {
      for (;;) {
        const item = this.items.find((i) => i.state === 'queued')
        if (!item) break
        await this.send(item)
      }
    } finally {
      this.running = false
    }
  }

  private async send(item: Item): Promise<void> {
    const abort = new AbortController()
    this.abort = abort
    const { file, name, size } = item
    if (!file) return
    try {
      let digest = item.sha256
      if (digest === null) {
        item.state = 'hashing'
        digest = await this.hash(file, (done) => (item.hashed = done), abort.signal)
        item.sha256 = digest
        item.hashed = size
        if (this.goOn(item)) return
      }
      const sha256 = digest
      let id = item.id
      let begun: Upload | null = null
      if (id === null) {
        item.state = 'sending'
        // One key for all tries: an answer that was lost does not make a second upload.
        const key = crypto.randomUUID()
        begun = await this.patiently(item, () => this.api.begin({ name, size, sha256 }, key))
        id = begun.id
        item.id = id
        item.sent = begun.received
        this.remember({ id, name, size, sha256 })
        if (this.settle(item, begun)) return
      }
      const known = id
      item.state = 'sending'
      // Where one begun just now stands is known; an older one's place the server says.
      let upload = begun ?? (await this.patiently(item, () => this.api.get(known)))
      for (;;) {
        item.sent = upload.received
        if (this.settle(item, upload)) return
        const began = performance.now()
        const offset = upload.received
        upload = await this.patiently(item, async () => {
          try {
            return await this.api.put(known, offset, file.slice(offset, offset + PART), abort.signal)
          } catch (error) {
            // Another part arrived after all: the server knows where to go on.
            if ((error as { status?: number }).status === 409) return await this.api.get(known)
            throw error
          }
        })
        const seconds = Math.max(0.001, (performance.now() - began) / 1000)
        const now = (upload.received - offset) / seconds
        item.rate = item.rate === 0 ? now : item.rate * 0.7 + now * 0.3
      }
    } catch (error) {
      // Pausing aborts; the state is set already.
      if (abort.signal.aborted) return
      item.error = error
      item.state = 'failed'
    } finally {
      if (this.abort === abort) this.abort = null
    }
  }

  // True when the item has ended.
  private settle(item: Item, upload: Upload): boolean {
    if (upload.state === 'complete') item.state = 'complete'
    else if (upload.state === 'damaged') item.state = 'damaged'
    else return false
    item.rate = 0
    return true
  }

  // The same file as an open upload: that one goes on in its place. True when nothing is left to do.
  private goOn(item: Item): boolean {
    const twin = this.items.find((other) => other.key !== item.key && other.sha256 === item.sha256 && other.size === item.size)
    if (!twin) return false
    if (twin.state === 'absent') {
      twin.file = item.file
      twin.state = 'queued'
    }
    this.items.splice(this.items.findIndex((other) => other.key === item.key), 1)
    return true
  }

  // Tries again while the server cannot be reached, longer apart each time, up to half a minute.
  private async patiently<T>(item: Item, call: () => Promise<T>): Promise<T> {
    for (let pause = 500; ; pause = Math.min(pause * 2, 30_000)) {
      try {
        return await call()
      } catch (error) {
        if (this.abort?.signal.aborted || !isTransient(error)) throw error
        item.state = 'waiting'
        item.error = error
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, this.delay(pause))
          this.wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
        this.wake = null
        if (this.abort?.signal.aborted) throw error
        item.state = 'sending'
        item.error = null
      }
    }
  }

  private remember(entry: Remembered): void {
    this.memory.save([...this.memory.load().filter((e) => e.id !== entry.id), entry])
  }

  private forget(id: string): void {
    this.memory.save(this.memory.load().filter((e) => e.id !== id))
  }
}

export function browserMemory(account: string): Memory {
  const key = `canbao.uploads.${account}`
  return {
    load() {
      try {
        const all: unknown = JSON.parse(localStorage.getItem(key) ?? '[]')
        return Array.isArray(all) ? (all as Remembered[]) : []
      } catch {
        return []
      }
    },
    save(all) {
      if (all.length > 0) localStorage.setItem(key, JSON.stringify(all))
      else localStorage.removeItem(key)
    },
  }
}

// One worker for all files: starting one costs more than hashing a small file. Files come one after the other.
let hasher: Worker | null = null

function hashInWorker(file: File, progress: (done: number) => void, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    hasher ??= new Worker(new URL('./sha256.worker.ts', import.meta.url), { type: 'module' })
    const worker = hasher
    const stop = () => {
      worker.terminate()
      hasher = null
      reject(new DOMException('', 'AbortError'))
    }
    signal.addEventListener('abort', stop, { once: true })
    const end = () => {
      signal.removeEventListener('abort', stop)
      worker.onmessage = null
      worker.onerror = null
    }
    worker.onmessage = ({ data }: MessageEvent<HashMessage>) => {
      if ('done' in data) progress(data.done)
      else if ('digest' in data) {
        end()
        resolve(data.digest)
      } else {
        end()
        reject(Object.assign(new Error(data.error), { status: 400 }))
      }
    }
    worker.onerror = (event) => {
      end()
      worker.terminate()
      hasher = null
      reject(Object.assign(new Error(event.message), { status: 400 }))
    }
    worker.postMessage({ file })
  })
}
