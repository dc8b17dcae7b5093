import { describe, expect, it } from 'vitest'
import { clean, detect } from './detect'

describe('detect', () => {
  it.each([
    ['330102198005163767', 'number'],
    ['33010219800516376x', 'number'],
    ['330102 19800516 3767', 'number'],
    ['330102800516376', 'number'],
    ['H12345678', 'number'],
    ['13812345678', 'phone'],
    ['138-1234-5678', 'phone'],
    ['０５７１88886666', 'phone'],
    ['李梅语', 'name'],
    ['玉素甫·旺堆', 'name'],
    ['lmy', 'pinyin'],
    ['li meiyu', 'pinyin'],
    ["xi'an", 'pinyin'],
  ])('%s is a %s', (typed, by) => {
    expect(detect(typed)).toBe(by)
  })

  it('cleans what was pasted', () => {
    expect(clean(' 330102 19800516 376x ', 'number')).toBe('33010219800516376X')
    expect(clean('１３８ 1234-5678', 'phone')).toBe('13812345678')
    expect(clean(' 李梅语 ', 'name')).toBe('李梅语')
  })
})
