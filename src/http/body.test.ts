import { expect, test } from 'vitest'
import { parseJson } from './body.ts'
import { fingerprintOf } from './fingerprint.ts'

const nested = (depth: number): string => `${'['.repeat(depth)}1${']'.repeat(depth)}`

const many = (count: number, one: (i: number) => string, [open, close] = '[]'): string =>
  `${open}${Array.from({ length: count }, (_, i) => one(i)).join(',')}${close}`
const name = (i: number): string => `"${i.toString(36).padStart(4, '0')}"`
const read = async (text: string): Promise<number> => Object.keys((await parseJson(text)) as object).length
const tooLarge = expect.objectContaining({ code: 'body_too_large' })

const of = (text: string, target = 'dev') => fingerprintOf(['adder', target], text, JSON.parse(text))

test('what nests as deeply as anybody writes is read, deeper is refused', async () => {
  expect(await parseJson(nested(200))).toBeInstanceOf(Array)
  await expect(parseJson(nested(201))).rejects.toThrow(expect.objectContaining({ code: 'bad_request' }))
  await expect(parseJson(nested(1_000_000))).rejects.toThrow(expect.objectContaining({ code: 'bad_request' }))
  await expect(parseJson(`{"a":${'{"a":'.repeat(300)}1`)).rejects.toThrow(
    expect.objectContaining({ code: 'bad_request' }),
  )
})

test('brackets in strings do not count, however the strings are escaped', async () => {
  for (const text of ['[['.repeat(1000), '\\"[['.repeat(1000), '\\\\', `${'\\'.repeat(999)}"[[[[`.repeat(100)]) {
    expect(await parseJson(JSON.stringify({ text, after: [[1]] }))).toEqual({ text, after: [[1]] })
  }
  // The same brackets after the string has closed do.
  await expect(parseJson(`["${'x'.repeat(999)}\\\\",${nested(300)}]`)).rejects.toThrow(/nests deeper/)
})

test('rows by the hundred thousand are read; what takes far longer to build than to read is refused', async () => {
  expect(await read(many(50_000, (i) => `{"id":${i},"name":"\\"a\\":1","x":null}`))).toBe(50_000)
  expect(await read(many(50_000, name))).toBe(50_000)
  expect(await read(many(300_000, () => '1'))).toBe(300_000)
  expect(await read(many(20_000, (i) => `${name(i)} : 1`, '{}'))).toBe(20_000)

  await expect(parseJson(many(20_001, (i) => `${name(i)} : 1`, '{}'))).rejects.toThrow(tooLarge)
  await expect(parseJson(many(20_001, (i) => `{${name(i)}:1}`))).rejects.toThrow(tooLarge)
  await expect(parseJson(many(250_001, () => '[]'))).rejects.toThrow(tooLarge)
  // Few names in ever other orders are as many kinds of objects.
  const names = 'abcdefghi'.split('')
  const turned = (i: number): string => {
    const left = [...names]
    return `{${names.map((_, at) => `"${left.splice(Math.floor(i / 7 ** at) % left.length, 1)[0]}":1`).join(',')}}`
  }
  await expect(parseJson(many(40_000, turned))).rejects.toThrow(tooLarge)
})

test('others have their turn between the steps through a long text', async () => {
  let turns = 0
  const tick = (): void => {
    turns++
    ticking = setImmediate(tick)
  }
  let ticking = setImmediate(tick)
  try {
    await parseJson('[1]')
    expect(turns).toBe(0)
    await parseJson(many(50_000, name))
    expect(turns).toBeGreaterThanOrEqual(2)
  } finally {
    clearImmediate(ticking)
  }
})

test('a key stands for the value, whatever the order and spacing, and for its target', async () => {
  const one = await of('{"a":1,"b":[{"c":1,"d":2}]}')
  expect(await of('{ "b": [{"d":2,"c":1}], "a":1 }')).toBe(one)
  expect(await of('{"a":1,"b":[{"c":1,"d":3}]}')).not.toBe(one)
  expect(await of('{"a":1,"b":[{"c":1,"d":2}]}', 'prod')).not.toBe(one)
  expect(await of('{"__proto__":{"x":1}}')).not.toBe(await of('{}'))
})
