import { mkdtemp, rm, stat } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SYSCALL_TABLES } from '../bwrap/seccomp-tables.ts'
import { runDoctor } from '../doctor.ts'
import type { ToolResult, ToolSpec } from '../driver.ts'
import { type TestSessions, invoke, openTestSessions, outcome } from '../test-sessions.ts'
import { findRunsc } from './find-runsc.ts'

const missing = await findRunsc().then(
  () => null,
  (error: Error) => error.message,
)

/** runsc, started by root, gives away the files that it gets as its standard streams. */
async function owner(): Promise<number[]> {
  const { uid, gid } = await stat('/dev/null')
  return [uid, gid]
}

test('without gVisor there is no such driver, and nothing takes its place', async ({ skip }) => {
  skip(missing === null, 'gVisor is installed here')
  await expect(openTestSessions({ driver: 'runsc' })).rejects.toMatchObject({ fix: expect.stringContaining('runsc') })
})

// To run these: apt-get install runsc.
describe.skipIf(missing !== null)(
  `with gVisor${missing === null ? '' : ` (${missing} To run these: apt-get install runsc)`}`,
  () => {
    let sandboxes: TestSessions
    let ownerBefore: number[]
    beforeAll(async () => {
      ownerBefore = await owner()
      sandboxes = await openTestSessions({ driver: 'runsc' })
    })
    afterAll(async () => {
      await sandboxes.close()
      expect(await owner()).toEqual(ownerBefore)
    })

    const shell = (script: string, change: Partial<ToolSpec> = {}): Promise<ToolResult> =>
      sandboxes.driver.tool({
        argv: ['/bin/sh', '-c', script],
        binds: [],
        memory_mb: 128,
        disk_mb: 16,
        timeout_ms: 120_000,
        ...change,
      })

    test('a Python handler gets its input; its result, its log and what it has used come back', async () => {
      const session = await sandboxes.python('def handler(input):\n  print("hello")\n  return {"ok": input["name"]}')
      for (const name of ['a', 'b']) {
        const { result, output, logs } = await invoke(session, { name })
        expect(output).toEqual({ ok: name })
        expect(logs.map(({ stream, text }) => [stream, text])).toEqual([['stdout', 'hello']])
        expect(result.usage.limits).toBe(sandboxes.driver.capabilities().limits)
      }
      await session.kill()
    })

    test('so does a Node handler', async () => {
      const session = await sandboxes.node(
        'export const execute = (input) => { console.error("careful"); return [input] }',
      )
      const { output, logs } = await invoke(session, 1)
      expect([output, logs.map(({ text }) => text)]).toEqual([[1], ['careful']])
      await session.kill()
    })

    test('the kernel that a skill sees is not that of this machine', async () => {
      const { stdout } = await shell('cat /proc/version')
      expect(stdout).toMatch(/^Linux version/)
      expect(stdout).not.toBe(readFileSync('/proc/version', 'utf8'))
    })

    test('nothing of a run is there in the next: files, processes, queues', async () => {
      const session = await sandboxes.python(`
import os, ctypes
def handler(input):
    found = os.listdir("/tmp") + os.listdir("/dev/shm") + [p for p in os.listdir("/proc") if p.isdigit()][2:]
    found.append(ctypes.CDLL(None).shmget(4711, 4096, 0))
    ctypes.CDLL(None).shmget(4711, 4096, 0o1666)
    open("/tmp/x", "w"); open("/dev/shm/x", "w")
    if os.fork() == 0:
        os.setsid()
        while True: pass
    return found
`)
      for (let i = 0; i < 2; i++) expect((await invoke(session, {})).output).toEqual([-1])
      await session.kill()
    })

    test('what the system call filter refuses is refused here too', async () => {
      const { denied, absent } = SYSCALL_TABLES[process.arch]!
      const code = `
import ctypes, json
libc = ctypes.CDLL(None, use_errno=True)
def refused(number):
    result = libc.syscall(number, -1, -1, -1, -1, -1, -1)
    # EPERM: by the filter or for want of a privilege. ENOSYS: gVisor has no such call.
    return result == -1 and ctypes.get_errno() in (1, 38)
print(json.dumps([n for n in ${JSON.stringify([...denied, ...absent])} if not refused(n)]))`
      const { stdout } = await shell('exec python3 -I -S -c "$CODE"', { env: { CODE: code } })
      expect(JSON.parse(stdout)).toEqual([])
    })

    test('too much memory, too long, a fork bomb and a full disk end as they do elsewhere', async () => {
      const hungry = await sandboxes.python('def handler(input):\n  return len(bytearray(900 << 20))')
      expect(outcome(await invoke(hungry, {}))).toBe('failed/memory_limit')
      await hungry.kill()
      expect((await shell('while :; do :; done', { timeout_ms: 1500 })).ended).toBe('timeout')
      const bomb =
        'import os\nn = 0\ntry:\n  while True:\n    if os.fork() == 0:\n      os.execv("/bin/sleep", ["sleep", "60"])\n    n += 1\nexcept OSError:\n  print(n)'
      const { stdout } = await shell('exec python3 -I -S -c "$CODE"', { env: { CODE: bomb }, pids: 30 })
      expect(Number(stdout)).toBeGreaterThan(20)
      expect(Number(stdout)).toBeLessThanOrEqual(30)
      const full = await shell(
        'head -c 10000000 /dev/zero > /scratch/a && echo first; head -c 10000000 /dev/zero > /tmp/b || echo full',
      )
      expect(full.stdout).toBe('first\nfull\n')
    })

    test('a command reads its input, writes an artefact and ends with its own exit code', async () => {
      let artefact = ''
      const write = (chunk: Uint8Array): Promise<void> => {
        artefact += Buffer.from(chunk).toString()
        return Promise.resolve()
      }
      const result = await shell('cat; echo oops >&2; echo made >&3; pwd; env | cut -d= -f1 | sort | xargs; exit 3', {
        stdin: 'hello\n',
        artefact: { write, maxBytes: 100 },
      })
      expect(result).toMatchObject({ ended: 'exit', exitCode: 3, stderr: 'oops\n' })
      expect(result.stdout).toBe('hello\n/scratch\nHOME LANG PATH PWD TMPDIR\n')
      expect(artefact).toBe('made\n')
    })

    test('the doctor finds no way out', async () => {
      const dataDir = await mkdtemp(join(tmpdir(), 'skillet-runsc-'))
      try {
        const report = await runDoctor({ driver: sandboxes.driver, places: sandboxes.places, dataDir })
        expect(report.checks.filter(({ ok }) => !ok)).toEqual([])
        const checks = report.checks.map(({ check }) => check)
        expect(checks).toEqual(
          expect.arrayContaining(['bubblewrap', 'gvisor', 'escape: network', 'escape: kernel calls']),
        )
      } finally {
        await rm(dataDir, { recursive: true, force: true })
      }
    })
  },
)
