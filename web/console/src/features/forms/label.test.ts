import { describe, expect, it } from 'vitest'
import { fullLabel } from './label'

const both = (zh: string) => ({ zh, en: zh })
const page = {
  headings: [
    [{ text: both('养老'), column: 2, span: 2 }, { text: both('总数'), column: 1, span: 1, rows: 2 }],
    [{ text: both('应参未参'), column: 2, span: 1 }, { text: both('重复'), column: 3, span: 1 }],
  ],
  columns: ['总数', '应参未参', '重复'].map((label, index) => ({ key: String(index + 1), label: both(label), value: 0 })),
}

describe('fullLabel', () => {
  it('puts the group before its columns only', () => {
    expect(fullLabel(page, '1')).toBe('总数')
    expect(fullLabel(page, '2')).toBe('养老 · 应参未参')
    expect(fullLabel(page, '3')).toBe('养老 · 重复')
  })
  it('leaves what stands beside the form alone', () => {
    expect(fullLabel({ ...page, columns: [{ key: 'not_yet_verified', label: both('尚未核实'), value: 1 }] }, 'not_yet_verified')).toBe('尚未核实')
  })
})
