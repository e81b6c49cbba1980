import { styleText } from 'node:util'
import { expect, test } from 'vitest'
import { cleanShown } from './clean-text.ts'

test('a terminal obeys our colours and nothing that others wrote', () => {
  const ours = (['bold', 'dim', 'red', 'green', 'yellow', 'cyan'] as const)
    .map((style) => styleText(style, 'said', { validateStream: false }))
    .join(' ')
  expect(cleanShown(ours)).toBe(ours)
  for (const theirs of [
    '\u001b]52;c;aGk=\u0007',
    '\u001b[2J',
    '\u001b[8m',
    '\u009b31m',
    'a\rb',
    '\u202egpj',
    '\u001b[31',
  ]) {
    expect(cleanShown(`${ours}${theirs}`).replace(ours, '')).toMatch(/^[\x20-\x7e]+$/)
  }
})
