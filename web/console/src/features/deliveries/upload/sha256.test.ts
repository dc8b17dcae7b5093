import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { Sha256 } from './sha256'

const hex = (bytes: Uint8Array) => new Sha256().update(bytes).digest()

describe('Sha256', () => {
  it('gives the published digests', () => {
    expect(hex(new Uint8Array())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    expect(hex(new TextEncoder().encode('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  })

  it('agrees with another implementation at every length around a block', () => {
    for (let n = 0; n < 200; n++) {
      const bytes = Uint8Array.from({ length: n }, (_, i) => (i * 37 + n) & 255)
      expect(hex(bytes)).toBe(createHash('sha256').update(bytes).digest('hex'))
    }
  })

  it('does not depend on how the stream is cut', () => {
    const bytes = Uint8Array.from({ length: 10_000 }, (_, i) => (i * 131) & 255)
    const whole = createHash('sha256').update(bytes).digest('hex')
    for (const cut of [1, 7, 63, 64, 65, 1000]) {
      const hash = new Sha256()
      for (let at = 0; at < bytes.length; at += cut) hash.update(bytes.subarray(at, at + cut))
      expect(hash.digest()).toBe(whole)
    }
  })
})
