// Hashes one file off the page's thread: {file} in; {done} now and then, {digest} at the end.
import { Sha256 } from './sha256'

export type HashMessage = { done: number } | { digest: string } | { error: string }

const scope = self as unknown as {
  onmessage: ((event: MessageEvent<{ file: Blob }>) => void) | null
  postMessage(message: HashMessage): void
}

scope.onmessage = async ({ data }) => {
  try {
    const hash = new Sha256()
    const reader = data.file.stream().getReader()
    let done = 0
    let told = 0
    for (;;) {
      const { value, done: end } = await reader.read()
      if (end) break
      hash.update(value)
      done += value.length
      if (done - told >= 4 << 20) {
        told = done
        scope.postMessage({ done })
      }
    }
    scope.postMessage({ digest: hash.digest() })
  } catch (error) {
    scope.postMessage({ error: String(error) })
  }
}
