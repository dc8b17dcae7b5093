import { describe, expect, it } from 'vitest'
import { guess } from './guess'
import { KINDS, codeTable, fieldsOf, meaningsOf } from './policy'

describe('guess', () => {
  it.each([
    ['household_register_330000.csv', 'household_register', 'internal', ''],
    ['pension_employee_330100.csv.gz', 'enrolment', 'internal', '330100'],
    ['medical_settlement_330200.csv', 'medical_settlement', 'internal', '330200'],
    ['military_330000.xlsx', 'military', 'cross_department', ''],
    ['national_reply_330000.csv', 'national_reply', 'cross_province', ''],
    ['杭州市居民养老 330100.xlsx', 'enrolment', 'internal', '330100'],
    ['省厅学籍库.dbf', 'student', 'cross_department', ''],
    ['data.csv', '', '', ''],
  ])('%s', (name, kind, stage, region) => {
    expect(guess(name)).toMatchObject({ kind, stage, region })
  })
})

describe('policy', () => {
  it('knows the kinds and their fields from the mappings', () => {
    expect(KINDS).toHaveLength(20)
    const fields = fieldsOf('enrolment')
    expect(fields.find((f) => f.field === 'name')).toEqual({ field: 'name', label: '姓名', required: true, several: false })
    expect(fields.find((f) => f.field === 'id_number')).toMatchObject({ required: false, several: true })
    expect(fieldsOf('student').find((f) => f.field === 'status')?.label).toBe('学籍状态')
  })

  it('knows which fields are coded, and what their codes mean', () => {
    expect(codeTable('student', 'status')).toBe('student_status')
    expect(codeTable('card', 'status')).toBeNull()
    expect(codeTable('enrolment', 'sex')).toBe('sex')
    expect(codeTable('enrolment', 'name')).toBeNull()
    expect(meaningsOf('sex')).toContainEqual({ code: 'male', label: '男' })
  })
})
