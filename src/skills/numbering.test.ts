import { expect, test } from 'vitest'
import { nextVersion } from './numbering.ts'

const facts = { highest: null, declared: null, change_level: 'minor' } as const

test('a first version is the declared one, or 1.0.0', () => {
  expect(nextVersion({ ...facts, declared: '0.3.0' })).toBe('0.3.0')
  expect(nextVersion(facts)).toBe('1.0.0')
  expect(nextVersion({ ...facts, bump: 'major' })).toBe('1.0.0')
  expect(nextVersion({ ...facts, declared: 'one' })).toBe('1.0.0')
})

test('later ones: as asked, else the declared one if it is higher, else by the change level', () => {
  const later = { ...facts, highest: '1.4.2' }
  expect(nextVersion({ ...later, version: '3.0.0', declared: '9.0.0' })).toBe('3.0.0')
  expect(nextVersion({ ...later, bump: 'patch', declared: '9.0.0' })).toBe('1.4.3')
  expect(nextVersion({ ...later, bump: 'major' })).toBe('2.0.0')
  expect(nextVersion({ ...later, declared: '1.10.0' })).toBe('1.10.0')
  expect(nextVersion({ ...later, declared: '1.4.2' })).toBe('1.5.0')
  expect(nextVersion({ ...later, declared: '1.3.9', change_level: 'patch' })).toBe('1.4.3')
})

test.each(['1.4', 'v2.0.0', '2.0.0+build', '1.4.2', '1.4.1', 'latest', '', ' 2.0.0'])('%j is refused', (version) => {
  expect(() => nextVersion({ ...facts, highest: '1.4.2', version })).toThrow(
    expect.objectContaining({ code: 'version_invalid' }),
  )
})
