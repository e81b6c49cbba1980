import { expect, test } from 'vitest'
import { jsonText, jsonValue, jsonWith } from './written-json.ts'

const large = { text: 'é\u2028"\\'.repeat(20_000), list: [1, -0, 1e21, null, { a: undefined }] }

test.each([
  [null],
  [undefined],
  [''],
  ['text'],
  [0],
  [-0],
  [false],
  [[]],
  [{}],
  [{ a: undefined, b: [undefined] }],
  [large],
])('is what JSON.stringify makes, the first time and again (%#)', (value) => {
  for (let i = 0; i < 2; i++) expect(jsonText(value)).toBe(JSON.stringify(value ?? null))
})

test('a large value is written once; a value that was read has the text that it was read from', () => {
  let asked = 0
  const value = {
    text: 'x'.repeat(100_000),
    get read() {
      return ++asked
    },
  }
  expect(jsonText(value)).toBe(jsonText(value))
  expect(asked).toBe(1)
  const text = `[ "${'y'.repeat(100_000)}" ]`
  const read = jsonValue(text)
  expect(read).toEqual(JSON.parse(text))
  expect(jsonText(read)).toBe(text)
  // The value alone is remembered, not what equals it.
  expect(jsonText(structuredClone(read))).toBe(JSON.stringify(read))
})

test('texts become members of an object', () => {
  expect(JSON.parse(jsonWith({ a: 1, b: 'two' }, { 'a "name"': '[3]', d: 'null' }))).toEqual({
    a: 1,
    b: 'two',
    'a "name"': [3],
    d: null,
  })
  expect(jsonWith({}, { a: '1' })).toBe('{"a":1}')
  expect(jsonWith({ a: undefined }, { b: '1' })).toBe('{"b":1}')
  expect(jsonWith({ a: 1 }, {})).toBe('{"a":1}')
  expect(jsonWith({}, {})).toBe('{}')
})
