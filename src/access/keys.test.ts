import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { describeKey, hashKey, isKey, newKey } from './keys.ts'

test('a key is recognisable, all of it is random, and what is stored of it is its SHA-256', () => {
  const keys = Array.from({ length: 200 }, () => newKey())
  for (const { key, hash, prefix } of keys) {
    expect(key).toMatch(/^sk_[0-9A-Za-z]{43}$/)
    expect(isKey(key)).toBe(true)
    expect(hash).toBe(createHash('sha256').update(key).digest('hex'))
    expect(key.startsWith(prefix)).toBe(true)
    expect(prefix).toHaveLength(11)
  }
  expect(new Set(keys.map(({ prefix }) => prefix)).size).toBe(200)
  // The last character carries the lowest bits: all digits turn up there.
  expect(new Set(keys.map(({ key }) => key.at(-1))).size).toBeGreaterThan(40)
})

test('a key found in a file is described like the one that was made', () => {
  const fresh = newKey()
  expect(describeKey(fresh.key)).toEqual(fresh)
  expect(hashKey(fresh.key)).toBe(fresh.hash)
})

test.each(['', 'sk_', 'sk_short', `pk_${'a'.repeat(43)}`, `sk_${'a'.repeat(42)}-`, `sk_${'a'.repeat(44)}`])(
  '%j is not a key',
  (text) => expect(isKey(text)).toBe(false),
)
