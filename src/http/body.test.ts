import { expect, test } from 'vitest'
import { parseJson } from './body.ts'
import { fingerprintOf } from './fingerprint.ts'

const nested = (depth: number): string => `${'['.repeat(depth)}1${']'.repeat(depth)}`

const of = (text: string, target = 'dev') => fingerprintOf(['adder', target], text, JSON.parse(text))

test('what nests as deeply as anybody writes is read, deeper is refused', () => {
  expect(parseJson(nested(200))).toBeInstanceOf(Array)
  expect(() => parseJson(nested(201))).toThrow(expect.objectContaining({ code: 'bad_request' }))
  expect(() => parseJson(nested(1_000_000))).toThrow(expect.objectContaining({ code: 'bad_request' }))
  expect(() => parseJson(`{"a":${'{"a":'.repeat(300)}1`)).toThrow(expect.objectContaining({ code: 'bad_request' }))
})

test('brackets in strings do not count, however the strings are escaped', () => {
  for (const text of ['[['.repeat(1000), '\\"[['.repeat(1000), '\\\\', `${'\\'.repeat(999)}"[[[[`.repeat(100)]) {
    expect(parseJson(JSON.stringify({ text, after: [[1]] }))).toEqual({ text, after: [[1]] })
  }
  // The same brackets after the string has closed do.
  expect(() => parseJson(`["${'x'.repeat(999)}\\\\",${nested(300)}]`)).toThrow(/nests deeper/)
})

test('a key stands for the value, whatever the order and spacing, and for its target', async () => {
  const one = await of('{"a":1,"b":[{"c":1,"d":2}]}')
  expect(await of('{ "b": [{"d":2,"c":1}], "a":1 }')).toBe(one)
  expect(await of('{"a":1,"b":[{"c":1,"d":3}]}')).not.toBe(one)
  expect(await of('{"a":1,"b":[{"c":1,"d":2}]}', 'prod')).not.toBe(one)
  expect(await of('{"__proto__":{"x":1}}')).not.toBe(await of('{}'))
})
