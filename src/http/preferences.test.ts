import { expect, test } from 'vitest'
import { LIMITS } from '../model/sizes.ts'
import { idempotencyKeyOf, prefersText, waitOf } from './preferences.ts'

test.each([
  [undefined, null],
  ['wait=10', 10],
  ['respond-async, wait=7', 7],
  ['Wait = "3"', 3],
  ['wait=5; foo=bar', 5],
  ['wait=0', 0],
  ['wait=999999', LIMITS.waitSeconds],
  ['wait=-1', null],
  ['wait=1.5', null],
  ['await=5', null],
  ['handling=lenient', null],
])('Prefer: %s', (header, seconds) => expect(waitOf(header)).toBe(seconds))

test.each([
  [undefined, null],
  ['abc', 'abc'],
  ['"abc"', 'abc'],
  [String.raw`"a\"b\\c"`, String.raw`a"b\c`],
])('Idempotency-Key: %s', (header, key) => expect(idempotencyKeyOf(header)).toBe(key))

test.each(['', '""', 'two words', 'é', 'x'.repeat(256)])('Idempotency-Key %j is refused', (header) => {
  expect(() => idempotencyKeyOf(header)).toThrow(expect.objectContaining({ code: 'bad_request' }))
})

test.each([
  [undefined, false],
  ['*/*', false],
  ['application/json', false],
  ['text/plain', true],
  ['text/plain, application/json', true],
  ['application/json, text/plain', false],
])('Accept: %s', (header, text) => expect(prefersText(header)).toBe(text))
