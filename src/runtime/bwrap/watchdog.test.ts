import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestSessions, invoke, openTestSessions, outcome } from '../test-sessions.ts'

let sandboxes: TestSessions
beforeAll(async () => {
  sandboxes = await openTestSessions({ limitsMode: 'soft' })
})
afterAll(() => sandboxes.close())

test('what many processes take together counts, though none of them takes much', async () => {
  const session = await sandboxes.python(
    `
import os, time
def handler(input):
    for _ in range(60):
        if os.fork() == 0:
            kept = bytearray(os.urandom(4096) * (8 * 256))
            time.sleep(60)
    time.sleep(60)
`,
    { memory_mb: 128 },
  )
  const { result } = await invoke(session, {})
  expect(outcome({ result })).toBe('failed/memory_limit')
  expect(session.usable).toBe(false)
})

test('a bomb that is faster than the watchdog ends at the limit all the same', async () => {
  const session = await sandboxes.python(
    `
import mmap, os
def handler(input):
    for _ in range(4):
        os.fork()
    kept = []
    while True:
        kept.append(mmap.mmap(-1, 2**26, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x8000))
`,
    { memory_mb: 128 },
  )
  const { result } = await invoke(session, {})
  expect(outcome({ result })).toBe('failed/memory_limit')
})

test('what a run leaves behind is watched between runs too', async () => {
  const session = await sandboxes.node(
    `
export function execute() {
  const kept = []
  setInterval(() => kept.push(Buffer.alloc(2 ** 22, 1)), 1)
  return kept.length
}`,
    { memory_mb: 128 },
  )
  expect(outcome(await invoke(session, {}))).toBe('succeeded')
  while (session.usable) await sleep(10)
  expect(await session.idle()).toBe(false)
})
