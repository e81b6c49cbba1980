import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createRedactor, withRedactor } from './redaction.ts'

const VALUE = 'S3cr3t/värde+=~ "quoted" & more'
const redactor = (await createRedactor([VALUE]))!
const bytes = Buffer.from(VALUE)

const FORMS: Record<string, string> = {
  'as it is': VALUE,
  JSON: JSON.stringify(VALUE).slice(1, -1),
  'a JSON pointer': VALUE.replaceAll('~', '~0').replaceAll('/', '~1'),
  "Python's JSON": 'S3cr3t/v\\u00e4rde+=~ \\"quoted\\" & more',
  encodeURIComponent: encodeURIComponent(VALUE),
  'lower-case percent-encoding': encodeURIComponent(VALUE).replaceAll(/%../g, (code) => code.toLowerCase()),
  'a form': new URLSearchParams({ v: VALUE }).toString().slice(2),
  'percent-encoding of everything': bytes.toString('hex').replaceAll(/../g, '%$&'),
  "Python's quote": encodeURIComponent(VALUE).replaceAll('%2F', '/'),
  encodeURI: encodeURI(VALUE),
  hex: bytes.toString('hex'),
  'upper-case hex': bytes.toString('hex').toUpperCase(),
  base64: bytes.toString('base64'),
  'base64 without padding': bytes.toString('base64').replace(/=+$/, ''),
  base64url: bytes.toString('base64url'),
}

describe('a secret is found', () => {
  test.each(Object.entries(FORMS))('%s', (_name, form) => {
    const clean = redactor.redact(`<${form}> and ${form}`)
    expect(clean).toMatch(/^<\[redacted\]=*> and \[redacted\]=*$/)
  })

  test.each(['', 'x', 'xy', 'xyz', 'user:'])('in base64 behind %j and before more', (before) => {
    const encoded = Buffer.from(`${before}${VALUE} and more`).toString('base64')
    const clean = redactor.redact(encoded)
    expect(clean).toContain('[redacted]')
    // What is left at its edges holds no more than a character of it.
    const rest = Buffer.from(clean.split('[redacted]')[1]!.slice(-12), 'base64').toString()
    expect(rest).toContain('more')
    for (let i = 0; i + 5 <= VALUE.length; i++)
      expect(Buffer.from(clean, 'base64').toString()).not.toContain(VALUE.slice(i, i + 5))
  })

  test('line by line, and in base64 with broken lines', async () => {
    const pem = `-----BEGIN KEY-----\n${'QUJDREVGR0hJSktMTU5PUA'.repeat(3)}\nZZZZYYYYXXXX1234\n-----END KEY-----\n`
    const multi = (await createRedactor([pem]))!
    for (const line of pem.trimEnd().split('\n')) expect(multi.redact(`> ${line} <`)).toBe('> [redacted] <')
    for (const width of [64, 76]) {
      const lines = Buffer.from(pem)
        .toString('base64')
        .match(new RegExp(`.{1,${width}}`, 'g'))!
      for (const line of lines.slice(0, -1)) expect(multi.redact(line)).toBe('[redacted]')
    }
  })
})

test('several are found where they overlap, and the longer one where one begins like another', async () => {
  const both = (await createRedactor(['password', 'password123', '123456']))!
  expect(both.redact('password123456 passwords')).toBe('[redacted] [redacted]s')
})

test('other text stays as it is, and short values are not looked for', async () => {
  const text = `Nothing here, not even ${VALUE.slice(0, 12)}.`
  expect(redactor.redact(text)).toBe(text)
  expect(await createRedactor(['abc', ''])).toBeNull()
  expect(await createRedactor([])).toBeNull()
  expect((await createRedactor(['$&*.+']))!.redact('a$&*.+b')).toBe('a[redacted]b')
})

describe('a long value', async () => {
  const long = Array.from({ length: 300 }, (_, i) => (i * 7919).toString(36)).join('-')
  const finder = (await createRedactor([long]))!
  const forms = [long, Buffer.from(long).toString('base64'), Buffer.from(long).toString('hex')]

  test.each(forms)('is found whole, with nothing left at its end: %.10s', (form) => {
    expect(finder.redact(`<${form}>`).replace(/=+/, '')).toBe('<[redacted]>')
  })

  test('is found in parts, wherever it is cut, and nothing of it is shown that is longer than a few characters', () => {
    for (let at = 1; at < 200; at++) {
      const cut = finder.redactPiece(`a ${long.slice(0, at)}`)
      expect(cut.replace('[redacted]', '').length).toBeLessThan(2 + 4)
      expect(finder.redactPiece(`${long.slice(-at)} b`).replace('[redacted]', '').length).toBeLessThan(2 + 4)
    }
    expect(finder.redactPiece(long.slice(50, 500))).toBe('[redacted]')
  })

  test('is not cut where text goes on, at whatever place that is', () => {
    const text = `before ${long} after`
    for (let at = 1; at <= text.length; at++) {
      const safe = finder.safeLength(text.slice(0, at))
      const pieces = finder.redact(text.slice(0, safe)) + finder.redact(text.slice(safe))
      expect(pieces).toMatch(/^before (?:\[redacted\])+ after$/)
    }
  })
})

describe('text that goes on', async () => {
  const short = (await createRedactor(['hunter2!']))!
  test.each([
    ['say hunter2', 4],
    ['say hunter2!', 12],
    ['say hunter2! h', 13],
    ['say hunter2! and', 16],
    ['hun', 0],
    ['', 0],
    [`hunter2! ${'and so on, '.repeat(10)}`, 119],
  ])('of %j no more is safe than %i, and no more is held back than a form is long', (text, most) => {
    const safe = short.safeLength(text)
    expect(safe).toBeLessThanOrEqual(most)
    expect(safe).toBeGreaterThan(most - 64)
  })

  test('what is found is not safe while another may begin within it', async () => {
    const two = (await createRedactor(['password', 'word1234']))!
    expect(two.safeLength('my password')).toBeLessThanOrEqual(3)
    expect(two.redactPiece('my password12')).toBe('my [redacted]')
  })

  test('a piece of a longer text shows no end and no beginning of a secret', () => {
    expect(short.redactPiece('nter2! was said, hunter2! and hunt')).toBe(
      '[redacted] was said, [redacted] and [redacted]',
    )
    expect(short.redactPiece('a plain h')).toBe('a plain h')
  })
})

describe('values and texts that were chosen to be slow are not: each of these takes hours where every value is compared', () => {
  const like = Array.from({ length: 5000 }, (_, i) => `aaaaaaa${String(i).padStart(5, '0')}`).join('\n')
  test.each([
    ['many lines that begin alike', like],
    ['one letter', 'a'.repeat(65_000)],
    ['lines of every length', Array.from({ length: 350 }, (_, i) => 'a'.repeat(i)).join('b\n')],
    ['many short lines', Array.from({ length: 10_000 }, (_, i) => `a${i.toString(36).padStart(4, 'a')}`).join('\n')],
  ])('%s', async (_name, value) => {
    const finder = (await createRedactor([value, `${value.slice(1)}c`]))!
    const own = value.split('\n').findLast(({ length }) => length > 4)!
    for (const text of ['a'.repeat(2 ** 19), 'aaaaaaab'.repeat(2 ** 16)]) {
      expect(finder.redact(`${text} ${own}`)).toMatch(/\[redacted\]$/)
      expect(finder.redactPiece(`${text} ${own.slice(0, -1)}`)).toMatch(/\[redacted\]$/)
      expect(finder.safeLength(`${text} ${own}`)).toBeLessThan(text.length + 1 + own.length)
    }
  })
})

describe('values that have a hundred thousand forms', () => {
  const all = [lines(2_654_435_761), lines(3_266_489_917)]
  const values = all.map((one) => one.join('\n').slice(0, 65_000))

  test('thousands of pieces are looked at, and show no end and no beginning of one', async () => {
    const finder = (await createRedactor(values))!
    for (let i = 0; i < 20_000; i++) {
      const [line, other] = [all[0]![i % 7000]!, all[1]![(i * 31) % 7000]!]
      const shown = finder.redactPiece(
        `${line.slice(2)} was said of WHAT IS NO SECRET AT ALL, BY NOBODY: ${other.slice(0, 5)}`,
      )
      expect(shown.startsWith(line.slice(2))).toBe(false)
      expect(shown.endsWith(other.slice(0, 5))).toBe(false)
    }
    // At a cut as much may be hidden as a form is long, and no more.
    const plain = 'PLAIN TEXT '.repeat(20)
    expect(finder.redactPiece(plain)).toContain(plain.slice(64, -64))
  })

  test('of many runs that get them at once, one takes its turn between two turns of others', async () => {
    expect(await turnsOf(6, values[0]!)).toBeGreaterThan(5 * (await turnsOf(1, values[0]!)))
  })
})

test('a run whose secrets are too long together gets none of them', async () => {
  const env = { A: 'a'.repeat(65_536), B: 'b'.repeat(65_536) }
  const resolved = { env, connections: {}, values: Object.values(env), variant: 'x', ids: [] }
  const within = await withRedactor(() => Promise.resolve(resolved))('tenant', {})
  expect(within.redactor!.redact(`${env.A} ${env.B}`)).toBe('[redacted] [redacted]')
  const more = { ...resolved, env: { ...env, C: 'c' } }
  const refused = withRedactor(() => Promise.resolve(more))('tenant', {})
  await expect(refused).rejects.toMatchObject({
    code: 'secret_invalid',
    message: expect.stringContaining('131073 bytes together'),
  })
})

const lines = (key: number): string[] =>
  Array.from({ length: 9000 }, (_, i) => `"${((i + 1) * key).toString(36).slice(-5)}~`)

/** Turns of the event loop until so many redactors are made. */
async function turnsOf(runs: number, value: string): Promise<number> {
  let [turns, done] = [0, false]
  const making = Promise.all(Array.from({ length: runs }, () => createRedactor([value])))
  void making.then(() => (done = true))
  while (!done) {
    await setImmediate()
    turns++
  }
  return turns
}
