import { expect, test } from 'vitest'
import { momentOf, sequencesOf } from './claude-shapes.ts'

const created_at = '2026-11-21T15:38:38.030Z'

test('a version of the beta is the microsecond in which it was made, in 16 digits', () => {
  expect(momentOf({ created_at, sequence: 1 })).toBe('1795275518030001')
  expect(momentOf({ created_at, sequence: 1002 })).toBe('1795275518030002')
})

test('such a number leads back to the sequences that it may mean', () => {
  expect(sequencesOf('1795275518030001', { sequence: 7 })).toEqual([1])
  expect(sequencesOf('1795275518030002', { sequence: 2500 })).toEqual([2, 1002, 2002])
  expect(sequencesOf('1795275518030000', { sequence: 2500 })).toEqual([1000, 2000])
  expect(sequencesOf('1795275518030009', { sequence: 2 })).toEqual([])
  expect(sequencesOf('1795275518030001', null)).toEqual([])
})

test('other names are no such numbers', () => {
  for (const name of ['12', 'latest', '1.0.0', 'skver_01', '179527551803000x', '17952755180300011']) {
    expect([name, sequencesOf(name, { sequence: 7 })]).toEqual([name, null])
  }
})
