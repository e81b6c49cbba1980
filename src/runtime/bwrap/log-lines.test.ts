import { expect, test } from 'vitest'
import type { LogLine } from '../../model/runs.ts'
import { LIMITS } from '../../model/sizes.ts'
import type { Redactor } from '../driver.ts'
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

/** Looks for one word; what it does with all the forms of a secret is its own test. */
const WORD = 'hunter2-and-more'
const finder: Redactor = {
  redact: (text) => text.replaceAll(WORD, '[redacted]'),
  safeLength(text) {
    const ends = Array.from({ length: WORD.length - 1 }, (_, i) => WORD.slice(0, WORD.length - 1 - i))
    return text.length - (ends.find((end) => text.endsWith(end))?.length ?? 0)
  },
  redactPiece: (text) => finder.redact(text.slice(0, finder.safeLength(text))),
}

function redacted(write: (lines: ReturnType<typeof createLogLines>) => void): string[] {
  const all: LogLine[] = []
  const lines = createLogLines((more) => all.push(...more), finder)
  write(lines)
  lines.end()
  return texts(all)
}

test('a secret is not seen where it is written in pieces, nor where a long line is split', () => {
  const pieces = redacted((lines) => {
    for (const char of `say ${WORD}!\n`) lines.write('stdout', Buffer.from(char))
  })
  expect(pieces).toEqual(['say [redacted]!'])
  for (let before = 8170; before < 8200; before++) {
    const all = redacted((lines) => lines.write('stdout', Buffer.from(`${'x'.repeat(before)}${WORD}yy\n`)))
    expect(all.join('')).toBe(`${'x'.repeat(before)}[redacted]yy`)
  }
})

test('nor behind terminal commands, nor half of it where the log is cut', () => {
  expect(redacted((lines) => lines.write('stderr', Buffer.from('a hunter2\u001b[31m-and-more b')))).toEqual([
    'a [redacted] b',
  ])
  for (let into = 1; into < WORD.length; into++) {
    const all = redacted((lines) => {
      const room = LIMITS.logBytes - into
      for (let at = 0; at < room; at += 4096)
        lines.write('stdout', Buffer.from(`${'x'.repeat(Math.min(4096, room - at) - 1)}\n`))
      lines.write('stdout', Buffer.from(`${WORD}${WORD}`))
    })
    expect(all.at(-1)).toContain('The log was cut here')
    expect(all.slice(0, -1).join('')).not.toContain('h')
  }
})

test('nor both at once: a secret with a terminal command in it where a long line is split', () => {
  const command = '\u001b[1;31m'
  for (let before = 8150; before < 8200; before++) {
    const all = redacted((lines) => {
      lines.write('stdout', Buffer.from(`${'x'.repeat(before)}hunter2${command}-and`))
      lines.write('stdout', Buffer.from(`-more${command}${'y'.repeat(100)}\n`))
    })
    expect(all.length).toBeGreaterThan(1)
    expect(all.join('')).toBe(`${'x'.repeat(before)}[redacted]${'y'.repeat(100)}`)
  }
})

test('nor half of it where the run ends before it is written whole', () => {
  expect(redacted((lines) => lines.write('stdout', Buffer.from('say hunter2-and')))).toEqual(['say '])
})

test('what has to be held back is, however long it gets, and then comes out', () => {
  const endless: Redactor = {
    redact: (text) => text.replaceAll(/a+/g, '[redacted]'),
    safeLength: (text) => text.length - /a*$/.exec(text)![0].length,
    redactPiece: (text) => endless.redact(text),
  }
  const all: LogLine[] = []
  const lines = createLogLines((more) => all.push(...more), endless)
  for (let i = 0; i < 100; i++) lines.write('stdout', Buffer.alloc(5000, 'a'))
  expect(all).toEqual([])
  lines.write('stdout', Buffer.from(' no more\n'))
  expect(texts(all)).toEqual(['[redacted] no more'])
})

test("a line of the platform's own is printable, has no secret in it, and counts like the others", () => {
  const all: LogLine[] = []
  const lines = createLogLines((more) => all.push(...more))
  lines.note('network: e\u001b[31mvil\u0007 was refused')
  expect(all).toMatchObject([{ stream: 'system', text: 'network: evil\ufffd was refused' }])
  for (let i = 0; i <= LIMITS.logBytes / 1000; i++) lines.note('x'.repeat(1000))
  const before = all.length
  lines.note('one more')
  lines.write('stdout', Buffer.from('and this\n'))
  expect(texts(all.slice(before))).toEqual([expect.stringContaining('The log was cut here')])
  expect(redacted((more) => more.note('network: hunter2-and-more.example.com was refused'))).toEqual([
    'network: [redacted].example.com was refused',
  ])
})
