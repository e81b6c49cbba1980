import { describe, expect, test } from 'vitest'
import { createRedactor } from './redaction.ts'

const VALUE = 'S3cr3t/värde+=~ "quoted" & more'
const redactor = createRedactor([VALUE])!
const bytes = Buffer.from(VALUE)

const FORMS: Record<string, string> = {
  'as it is': VALUE,
  JSON: JSON.stringify(VALUE).slice(1, -1),
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

  test('line by line, and in base64 with broken lines', () => {
    const pem = `-----BEGIN KEY-----\n${'QUJDREVGR0hJSktMTU5PUA'.repeat(3)}\nZZZZYYYYXXXX1234\n-----END KEY-----\n`
    const multi = createRedactor([pem])!
    for (const line of pem.trimEnd().split('\n')) expect(multi.redact(`> ${line} <`)).toBe('> [redacted] <')
    for (const width of [64, 76]) {
      const lines = Buffer.from(pem)
        .toString('base64')
        .match(new RegExp(`.{1,${width}}`, 'g'))!
      for (const line of lines.slice(0, -1)) expect(multi.redact(line)).toBe('[redacted]')
    }
  })
})

test('several are found where they overlap, and the longer one where one begins like another', () => {
  const both = createRedactor(['password', 'password123', '123456'])!
  expect(both.redact('password123456 passwords')).toBe('[redacted] [redacted]s')
})

test('other text stays as it is, and short values are not looked for', () => {
  const text = `Nothing here, not even ${VALUE.slice(0, 12)}.`
  expect(redactor.redact(text)).toBe(text)
  expect(createRedactor(['abc', ''])).toBeNull()
  expect(createRedactor([])).toBeNull()
  expect(createRedactor(['$&*.+'])!.redact('a$&*.+b')).toBe('a[redacted]b')
})

describe('text that goes on', () => {
  const short = createRedactor(['hunter2!'])!
  test.each([
    ['say hunter2', 4],
    ['say hunter2!', 12],
    ['say hunter2! h', 13],
    ['say hunter2! x', 14],
    ['hun', 0],
    ['', 0],
  ])('%j is safe up to %i', (text, length) => expect(short.safeLength(text)).toBe(length))

  test('a piece of a longer text shows no end and no beginning of a secret', () => {
    expect(short.redactPiece('nter2! was said, hunter2! and hunt')).toBe(
      '[redacted] was said, [redacted] and [redacted]',
    )
    expect(short.redactPiece('a plain h')).toBe('a plain h')
  })
})

test('a megabyte and thousands of forms take no time worth telling', () => {
  const lines = Array.from({ length: 2000 }, (_, i) => `line ${i} of a long secret ${i * 7919}`)
  const large = createRedactor([lines.join('\n')])!
  const text = `${'line 3 of something else, '.repeat(40_000)}${lines[77]}`
  expect(large.redact(text).endsWith('[redacted]')).toBe(true)
})
