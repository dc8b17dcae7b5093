import { describe, expect, it } from 'vitest'
import { fileName } from './download'

describe('fileName', () => {
  it('takes the name in UTF-8 first', () => {
    expect(fileName(`attachment; filename="form.xlsx"; filename*=UTF-8''%E8%A1%A82-1.xlsx`)).toBe('表2-1.xlsx')
    expect(fileName('attachment; filename="form.xlsx"')).toBe('form.xlsx')
    expect(fileName('attachment')).toBeNull()
    expect(fileName("attachment; filename*=UTF-8''%E8%A1")).toBeNull()
  })
})
