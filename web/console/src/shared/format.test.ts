import { beforeAll, describe, expect, it } from 'vitest'
import { setLocale } from '@/i18n'
import { bytes, change, duration, number } from './format'

beforeAll(() => setLocale('zh-CN'))

describe('figures', () => {
  it('tells nothing from nought', () => {
    expect(number(null)).toBe('—')
    expect(number(0)).toBe('0')
    expect(number('1234567')).toBe('1,234,567')
  })
  it('signs changes and is silent without an earlier figure', () => {
    expect(change(10, 7)).toBe('+3')
    expect(change(7, 1007)).toBe('−1,000')
    expect(change(7, 7)).toBe('0')
    expect(change(7, null)).toBe('')
  })
  it('names sizes and times', () => {
    expect(bytes(999)).toBe('999 B')
    expect(bytes(8_388_608)).toBe('8.4 MB')
    expect(duration(0.2)).toBe('1 秒')
    expect(duration(200)).toBe('3 分')
  })
  it('speaks English where English is chosen', async () => {
    await setLocale('en')
    expect(duration(200)).toBe('3 min')
    await setLocale('zh-CN')
  })
})
