import { expect, test } from 'vitest'
import { jsonProblem } from './json-text.ts'

const agrees = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

test.each([
  'null',
  'true',
  '1',
  '-0.5e+10',
  '""',
  '"a\\u00e9\\n\\/"',
  '[]',
  '{}',
  ' [1, {"a" : [true,false]} ]\n',
  '{"a":1,"a":2}',
  '[[[]]]',
  '',
  ' ',
  'nul',
  'nullx',
  '01',
  '1.',
  '.5',
  '+1',
  '-',
  '1e',
  'NaN',
  'Infinity',
  "'a'",
  '"',
  '"\\x"',
  '"\\u12g4"',
  '"\t"',
  '[',
  '[1',
  '[1,',
  '[1,]',
  '[,1]',
  '[1 2]',
  ']',
  '{',
  '{"a"',
  '{"a":',
  '{"a":1',
  '{"a":1,}',
  '{a:1}',
  '{"a" 1}',
  '1 2',
  '[]]',
  '{]',
  '[}',
  '"\\',
  '"\\u12',
  '[1]x',
  '\u00a0[1]',
  '{"a":1}{',
])('%j is taken exactly when JSON.parse takes it', async (text) => {
  expect((await jsonProblem(Buffer.from(text))) === null).toBe(agrees(text))
})

test('damaged texts are judged as JSON.parse judges them', async () => {
  const base = JSON.stringify({ a: [1, -2.5e3, 'x"\\é', null, true], b: { c: {}, d: [] }, e: '\u2028' })
  let seed = 1
  const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
  for (let i = 0; i < 3000; i++) {
    const at = random(base.length)
    const text = base.slice(0, at) + '{}[]",:0e-\\tu '[random(15)] + base.slice(at + random(3))
    expect([text, (await jsonProblem(Buffer.from(text))) === null]).toEqual([text, agrees(text)])
  }
})

test('megabytes are looked at while others get their turn', async () => {
  const large = Buffer.from(JSON.stringify(Array.from({ length: 300_000 }, (_, i) => ({ i, s: 'x' }))))
  let turns = 0
  const counting = setInterval(() => turns++, 0)
  expect(await jsonProblem(large)).toBeNull()
  clearInterval(counting)
  expect(turns).toBeGreaterThan(3)
})

test('bytes that are no UTF-8 and depth beyond use are refused', async () => {
  expect(await jsonProblem(Buffer.from([0x22, 0xff, 0x22]))).toMatch(/UTF-8/)
  expect(await jsonProblem(Buffer.from('['.repeat(100_000)))).toMatch(/deeper/)
})
