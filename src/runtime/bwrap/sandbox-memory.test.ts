import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestSessions, invoke, openTestSessions, outcome } from '../test-sessions.ts'

let sandboxes: TestSessions
beforeAll(async () => {
  sandboxes = await openTestSessions({ limitsMode: 'soft' })
})
afterAll(() => sandboxes.close())

const HELD = `
import mmap, os, socket, time
def handler(input):
    kept = []
    while True:
        if input == "own": kept.append(bytearray(2**20))
        if input == "shared":
            kept.append(mmap.mmap(-1, 2**20)); kept[-1].write(bytes(2**20))
        if input == "tables":
            kept.append(mmap.mmap(-1, 2**34, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000, mmap.PROT_READ))
            for at in range(0, 2**34, 2**21): kept[-1][at]
        if input == "inodes":
            kept.append(None); os.mkdir(f"/tmp/{len(kept)}")
        if input == "sockets":
            kept.append(socket.socketpair())
            if len(kept) % 400 == 0: os.fork()
            if len(kept) > 450: time.sleep(60)
`

test.each(['own', 'shared', 'tables', 'inodes', 'sockets'])('memory that is taken as %s counts', async (kind) => {
  const session = await sandboxes.python(HELD, { memory_mb: 64 })
  expect(outcome(await invoke(session, kind))).toBe('failed/memory_limit')
})

test('sockets of as many connections as one may have cost nothing', async () => {
  const code =
    'import socket\ndef handler(input):\n  kept = [socket.socketpair() for _ in range(140)]\n  return len(kept)'
  const session = await sandboxes.python(code, { memory_mb: 64 })
  expect((await invoke(session, {})).output).toBe(140)
})

test('files without a name cannot be made, since nobody could see what they hold', async () => {
  const session = await sandboxes.python('import os\ndef handler(input):\n  os.memfd_create("x")')
  const { result } = await invoke(session, {})
  expect(result).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('not implemented') } })
})

test('pages that forked processes have in common count once', async () => {
  const session = await sandboxes.python(
    `
import os, time
def handler(input):
    kept = bytearray(40 * 2**20)
    children = []
    for _ in range(8):
        pid = os.fork()
        if pid == 0: time.sleep(0.5); os._exit(0)
        children.append(pid)
    return [os.waitpid(pid, 0)[1] for pid in children]
`,
    { memory_mb: 128 },
  )
  expect((await invoke(session, {})).output).toEqual(Array.from({ length: 8 }, () => 0))
})

test.skipIf(process.getuid!() !== 0)('what hides how it shares its pages has all of them counted', async () => {
  const program = 'import sys, time; kept = bytearray(64 * 2**20); print(flush=True); time.sleep(60)'
  const hog = spawn('/usr/bin/python3', ['-c', program], { uid: 65_534, gid: 65_534 })
  try {
    await once(hog.stdout, 'data')
    const module = new URL('sandbox-memory.ts', import.meta.url).pathname
    const ask = `const { sandboxMemory } = await import('${module}'); console.log(sandboxMemory([${hog.pid}], 2 ** 24))`
    const without = ['--bounding-set=-all', process.execPath, '--input-type=module', '-e', ask]
    const { stdout } = await promisify(execFile)('setpriv', without)
    expect(Number(stdout)).toBeGreaterThan(2 ** 26)
  } finally {
    hog.kill('SIGKILL')
    await once(hog, 'close')
  }
})
