import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { packageDigest } from './digest.ts'

const sha = (text: string): string => createHash('sha256').update(text).digest('hex')
const file = (path: string, text: string, executable = false) => ({
  path,
  size: text.length,
  sha256: sha(text),
  executable,
})

test('the digest is the hash of one line for each file, sorted by bytes', () => {
  const files = [file('main.py', 'print(1)\n'), file('a/run.sh', '#!/bin/sh\n', true)]
  // The same on any machine, made with nothing but sha256sum:
  //   printf '%s x 10 a/run.sh\n%s - 9 main.py\n' $(printf '#!/bin/sh\n' | sha256sum | cut -c-64) $(printf 'print(1)\n' | sha256sum | cut -c-64) | sha256sum
  expect(packageDigest(files)).toBe('sha256:dbd07ccf07c21e40f9c77a378d77537c0a2e526535db9d5b07c18c7ae417eb5e')
  expect(packageDigest(files.toReversed())).toBe(packageDigest(files))
})

test('name, content and the right to execute count', () => {
  const all = [file('a', 'x'), file('b', 'x'), file('a', 'y'), file('a', 'x', true)].map((one) => packageDigest([one]))
  expect(new Set(all).size).toBe(4)
  expect(packageDigest([])).toBe(`sha256:${sha('')}`)
})

test('names sort by their bytes, not by UTF-16 or a locale', () => {
  const files = [file('\u{1f600}', ''), file('\uffee', ''), file('Z', ''), file('a', ''), file('ä', '')]
  const line = (path: string): string => `${sha('')} - 0 ${path}\n`
  expect(packageDigest(files)).toBe(`sha256:${sha(['Z', 'a', 'ä', '\uffee', '\u{1f600}'].map(line).join(''))}`)
})
