import { expect, test } from 'vitest'
import { createDeniedNotes } from './denied-notes.ts'

const attempt = (host: string, times = 1) => ({ host, port: null, why: 'name', times }) as const

test('a run that tries a thousand names has a hundred lines in its log, and how many were left out', () => {
  const lines: string[] = []
  const notes = createDeniedNotes((text) => lines.push(text))
  for (let i = 0; i < 1000; i++) notes.add(attempt(`n${i}.example.org`, 3))
  expect(lines).toHaveLength(100)
  expect(lines[99]).toBe('network: n99.example.org was refused (not in the network list), 3 times')
  notes.end()
  expect(lines.slice(100)).toEqual(['network: 2700 more attempts were refused; the log of a run has lines for 100'])
})

test('a run with fewer has them all, and nothing besides', () => {
  const lines: string[] = []
  const notes = createDeniedNotes((text) => lines.push(text))
  for (let i = 0; i < 100; i++) notes.add(attempt('a.example.org'))
  notes.end()
  expect(lines).toHaveLength(100)
})
