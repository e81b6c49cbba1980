import { expect, test } from 'vitest'
import type { LogLine } from '../../model/runs.ts'
import { LIMITS } from '../../model/sizes.ts'
import { createLogLines } from './log-lines.ts'

function logged(write: (lines: ReturnType<typeof createLogLines>) => void): LogLine[] {
  const all: LogLine[] = []
  const lines = createLogLines((more) => all.push(...more))
  write(lines)
  lines.end()
  return all
}
const texts = (all: LogLine[]): string[] => all.map(({ text }) => text)

test('lines come as lines, whatever the chunks, and the last one without its end too', () => {
  const all = logged((lines) => {
    lines.write('stdout', Buffer.from('on'))
    lines.write('stderr', Buffer.from('apart\n'))
    lines.write('stdout', Buffer.from('e\r\n\ntwo'))
  })
  expect(all.map(({ stream, text }) => [stream, text])).toEqual([
    ['stderr', 'apart'],
    ['stdout', 'one'],
    ['stdout', ''],
    ['stdout', 'two'],
  ])
})

test('a character cut by chunks is one character, and bytes that are none are marked', () => {
  const bytes = Buffer.from('é€😀')
  const all = logged((lines) => {
    for (const byte of bytes) lines.write('stdout', Buffer.from([byte]))
    lines.write('stdout', Buffer.from([0xff, 10]))
  })
  expect(texts(all)).toEqual(['é€😀\ufffd'])
})

test('terminal commands go, other control characters and turned text become visible', () => {
  const all = logged((lines) =>
    lines.write('stdout', Buffer.from('\u001b[31mred\u001b[0m \u001b]0;title\u0007a\u0000b\tc\rd\u202ee\n')),
  )
  expect(texts(all)).toEqual(['red a\ufffdb\tc\ufffdd\ufffde'])
})

test('a line that is too long is split between characters', () => {
  const all = logged((lines) => lines.write('stdout', Buffer.from('é'.repeat(10_000))))
  expect(all.length).toBeGreaterThan(1)
  expect(texts(all).join('')).toBe('é'.repeat(10_000))
})

test('over the limit the log is cut once, says so, and takes nothing more', () => {
  const all = logged((lines) => {
    lines.write('stderr', Buffer.from('open'))
    for (let i = 0; i < 40; i++) lines.write('stdout', Buffer.from(`${'x'.repeat(99_999)}\n`))
  })
  expect(all.filter(({ stream }) => stream === 'system').map(({ text }) => text)).toEqual([
    expect.stringContaining(`${LIMITS.logBytes} bytes`),
  ])
  expect(all.at(-1)!.stream).toBe('system')
  expect(texts(all)).toContain('open')
  expect(texts(all).join('').length).toBeLessThan(LIMITS.logBytes + 1000)
})

test('many tiny lines are cut too', () => {
  const all = logged((lines) => lines.write('stdout', Buffer.alloc(500_000, 10)))
  expect(all.length).toBeLessThan(21_000)
  expect(all.at(-1)!.stream).toBe('system')
})
