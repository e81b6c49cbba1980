import { expect, test } from 'vitest'
import { bumpVersion, isHigher } from './semver.ts'

test.each([
  [null, 'patch', '0.1.0'],
  [null, 'major', '0.1.0'],
  ['1.2.3', 'patch', '1.2.4'],
  ['1.2.3', 'minor', '1.3.0'],
  ['1.2.3', 'major', '2.0.0'],
  ['0.1.0', 'major', '1.0.0'],
  ['1.2.3-rc.1', 'patch', '1.2.3'],
] as const)('after %s a %s change is %s', (last, bump, next) => {
  expect(bumpVersion(last, bump)).toBe(next)
})

test.each([
  ['1.10.0', '1.9.9', true],
  ['1.0.0', '1.0.0', false],
  ['1.0.0', '1.0.0-rc.1', true],
  ['0.9.0', '1.0.0', false],
])('%s is higher than %s: %s', (a, b, higher) => {
  expect(isHigher(a, b)).toBe(higher)
})

test.each(['1.2', 'v1.2.3', '01.2.3', '', '1.2.3 ', 'latest'])('"%s" is refused', (version) => {
  expect(() => isHigher(version, '1.0.0')).toThrow(expect.objectContaining({ code: 'version_invalid' }))
})
