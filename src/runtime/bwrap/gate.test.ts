import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ENTRY_FDS, entryGate } from './gate.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-gate-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** What is said by a program behind the gate, and how it ended. @param entrances How each is opened. */
async function pass(entrances: readonly ('w' | 'r')[], word: string) {
  const paths = entrances.map((_, i) => join(folder, String(i)))
  for (const path of paths) closeSync(openSync(path, 'w'))
  const fds = entrances.map((flags, i) => openSync(paths[i]!, flags))
  const entry = ENTRY_FDS.entrances.map((_, i) => fds[i] ?? ('ignore' as const))
  const program = [
    '/bin/sh',
    '-c',
    'for fd in 3 4 5 6 7 8 9; do { true >&$fd; } 2>&- && echo $fd; done; echo three >&3; echo four >&4',
  ]
  const child = spawn('/bin/sh', ['-c', entryGate(fds.length), ...program], {
    stdio: ['ignore', 'pipe', 'ignore', ...entry, 'pipe', 'pipe', 'pipe'],
  })
  for (const fd of fds) closeSync(fd)
  const streams = child.stdio as readonly unknown[]
  const texts = [1, ...ENTRY_FDS.extra].map(async (fd) => {
    let text = ''
    for await (const chunk of streams[fd] as AsyncIterable<Buffer>) text += chunk.toString()
    return text
  })
  const gate = streams[ENTRY_FDS.gate] as Writable
  gate.on('error', () => undefined)
  gate.end(word)
  const [[code], ...said] = await Promise.all([once(child, 'close') as Promise<[number]>, ...texts])
  return { code, said, written: paths.map((path) => readFileSync(path, 'utf8')) }
}

test.each([0, 1, 4])('whoever passes went in by %i entrances, and has none of them left', async (count) => {
  const { code, said, written } = await pass(
    Array.from({ length: count }, () => 'w' as const),
    '\n',
  )
  expect([code, said, written]).toEqual([
    0,
    ['3\n4\n', 'three\n', 'four\n'],
    Array.from({ length: count }, () => '0\n'),
  ])
})

test('whoever cannot go in by one of them, or is not let in, does not begin', async () => {
  expect(await pass(['w', 'r'], '\n')).toMatchObject({ code: 125, said: ['', '', ''] })
  expect(await pass(['w', 'w'], '')).toMatchObject({ code: 125, said: ['', '', ''] })
})
