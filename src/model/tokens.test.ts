import { expect, test } from 'vitest'
import { estimateTokens } from './tokens.ts'

// Counted by a public tokenizer (o200k).
test.each([
  ['', 0],
  ['The quick brown fox jumps over the lazy dog.', 10],
  ['Extracts text and tables from PDF files, fills forms, and merges documents.', 16],
  ['const total = items.reduce((sum, one) => sum + one.price, 0)', 19],
  ['## Quick start\n\n1. Run `scripts/extract.py`.\n2. Check the output.\n', 19],
])('%j has about %i', (text, tokens) => {
  expect(Math.abs(estimateTokens(text) - tokens)).toBeLessThanOrEqual(Math.max(2, tokens * 0.25))
})

test('scripts without spaces count by characters', () => {
  expect(estimateTokens('从文件中提取表格')).toBe(8)
})

test('more text has more tokens', () => {
  const line = 'Some words, 12345 figures and `code()`.\n'
  expect(estimateTokens(line.repeat(100))).toBeGreaterThan(99 * (estimateTokens(line) - 1))
})
