import semver from 'semver'
import { expect, test } from 'vitest'
import { semverRank } from './semver-rank.ts'

test('ranks sort as semver does', () => {
  const versions =
    '1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.0.1 1.2.0 1.10.0 2.0.0-0 ' +
    '2.0.0-a-b 2.0.0-a.b 2.0.0-1a 10.0.0 0.0.0 0.9.99 9007199254740991.0.0 1.0.0-99999 1.0.0-Z 1.0.0-z 1.0.0-alpha-1 1.0.0-alpha0'
  for (const a of versions.split(' ')) {
    for (const b of versions.split(' ')) {
      const order = Buffer.compare(Buffer.from(semverRank(a)), Buffer.from(semverRank(b)))
      expect(order, `${a} against ${b}`).toBe(semver.compare(a, b))
    }
  }
})

test('what is no version has no rank', () => {
  expect(() => semverRank('1.0')).toThrow(/major\.minor\.patch/)
})
