import { describe, expect, it } from 'vitest'
import { body, codedFields, columnsOf, flaws, meanings, openCodes } from './mapping'
import type { ColumnProfile, Profile } from './profile'

const column = (header: string, field: string | null, bad_samples: string[] = []): ColumnProfile => ({
  header, field, required: false, values: 1, empty: 0, placeholders: 0, bad: bad_samples.length, distinct: 1, samples: [], bad_samples,
})
const profile = (kind: string, columns: ColumnProfile[], state_texts: string[] = []) => ({ kind, columns, state_texts }) as Profile

describe('mapping', () => {
  const enrolment = profile('enrolment', [column('XM', 'name'), column('XB', 'sex', ['M1', 'M1', 'F1']), column('ZT', 'enrolment_state'), column('备注', null)], ['9/1/1'])

  it('offers what the reader did not understand', () => {
    expect(openCodes(enrolment)).toEqual([
      { column: 'sex', code: 'M1', meaning: '' },
      { column: 'sex', code: 'F1', meaning: '' },
      { column: 'enrolment_state', code: '9/1/1', meaning: '' },
    ])
    expect(codedFields(enrolment)).toEqual(['sex', 'enrolment_state'])
    expect(meanings('enrolment', 'enrolment_state').map((m) => m.code)).toContain('receiving')
    expect(meanings('enrolment', 'sex').map((m) => m.code)).toEqual(['male', 'female', 'unknown'])
  })

  it('finds a field with two columns and a required one without', () => {
    expect(flaws('enrolment', columnsOf(enrolment))).toEqual([])
    expect(flaws('enrolment', { A: 'name', B: 'name', C: 'id_number', D: 'id_number' })).toEqual([
      { kind: 'twice', field: 'name', headers: ['A', 'B'] },
      { kind: 'lacking', field: 'enrolment_state', headers: [] },
    ])
  })

  it('says only what changed', () => {
    const before = columnsOf(enrolment)
    expect(body({ ...before, 备注: 'address' }, before, [{ column: 'sex', code: ' M1 ', meaning: 'male' }, { column: 'sex', code: 'F1', meaning: '' }])).toEqual({
      columns: { 备注: 'address' },
      codes: { sex: { M1: 'male' } },
    })
  })
})
