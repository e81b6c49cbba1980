import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ToolResult, ToolSpec } from '../driver.ts'
import { type TestSessions, openTestSessions } from '../test-sessions.ts'

let sandboxes: TestSessions
beforeAll(async () => {
  sandboxes = await openTestSessions()
})
afterAll(() => sandboxes.close())

const run = (argv: string[], change: Partial<ToolSpec> = {}, signal?: AbortSignal): Promise<ToolResult> =>
  sandboxes.driver.tool({ argv, binds: [], memory_mb: 128, disk_mb: 16, timeout_ms: 120_000, ...change }, signal)
const shell = (script: string, change: Partial<ToolSpec> = {}): Promise<ToolResult> =>
  run(['/bin/sh', '-c', script], change)

test('a command answers with its exit code, stdout and stderr, and what it was given on stdin', async () => {
  const result = await shell('cat; echo oops >&2; exit 3', { stdin: 'hello' })
  expect(result).toMatchObject({ ended: 'exit', exitCode: 3, stdout: 'hello', stderr: 'oops\n' })
})

test('the environment holds what was asked for and a few plain things', async () => {
  const { stdout } = await shell('env | sort | grep -v ^PWD', { env: { ASKED: 'yes' } })
  expect(stdout.trim().split('\n')).toEqual([
    'ASKED=yes',
    'HOME=/scratch',
    'LANG=C.UTF-8',
    'PATH=/usr/local/bin:/usr/bin:/bin',
    'TMPDIR=/tmp',
  ])
})

test('a bind is seen and cannot be written', async () => {
  const source = await sandboxes.bundle({ 'a.txt': 'content' })
  const { stdout, stderr } = await shell('cat /in/a.txt; echo x > /in/a.txt', { binds: [{ source, target: '/in' }] })
  expect(stdout).toBe('content')
  expect(stderr).toMatch(/Read-only/)
})

test('a bind that does not exist is an error that says what to do', async () => {
  const binds = [{ source: '/no/such/path', target: '/in' }]
  await expect(run(['/bin/true'], { binds })).rejects.toMatchObject({
    name: 'SandboxError',
    message: expect.stringContaining('/no/such/path'),
    fix: expect.stringContaining('must exist'),
  })
})

test('a command that runs too long is stopped, with all that it started', async () => {
  const result = await shell('trap "" TERM INT HUP; (setsid sh -c "while :; do :; done") & while :; do :; done', {
    timeout_ms: 300,
  })
  expect(result.ended).toBe('timeout')
})

test('a command that is aborted answers "cancelled"', async () => {
  const controller = new AbortController()
  const running = run(['/bin/sleep', '60'], {}, controller.signal)
  setTimeout(() => controller.abort(), 100)
  expect((await running).ended).toBe('cancelled')
})

test('too much memory ends it', async () => {
  expect((await run(['/usr/bin/python3', '-I', '-S', '-c', 'bytearray(400 << 20)'])).ended).toBe('memory_limit')
})

test('a full disk is an error inside, for /scratch and /tmp together', async () => {
  const { stdout, stderr } = await shell(
    'head -c 10000000 /dev/zero > /scratch/a && echo first; head -c 10000000 /dev/zero > /tmp/b || echo full',
  )
  expect(stdout).toBe('first\nfull\n')
  expect(stderr).toMatch(/No space left/)
})

test('output over the cap is dropped and the command goes on', async () => {
  const result = await shell('head -c 300000 /dev/zero | tr "\\0" x; echo end >&2', { output_bytes: 1000 })
  expect(result).toMatchObject({ ended: 'exit', exitCode: 0, stdout: 'x'.repeat(1000), stderr: 'end\n' })
})

test('an artefact is handed over whole, and only as fast as it is taken', async () => {
  const chunks: Uint8Array[] = []
  let open = 0
  const write = async (chunk: Uint8Array): Promise<void> => {
    expect(++open).toBe(1)
    await new Promise(setImmediate)
    chunks.push(chunk)
    open--
  }
  const result = await shell('head -c 3000000 /dev/zero >&3', { artefact: { write, maxBytes: 3_000_000 } })
  expect(result).toMatchObject({ ended: 'exit', exitCode: 0 })
  expect(Buffer.concat(chunks).length).toBe(3_000_000)
})

test('an artefact over its cap ends the command, and nothing over the cap is handed over', async () => {
  let got = 0
  const write = (chunk: Uint8Array): Promise<void> => {
    got += chunk.length
    return Promise.resolve()
  }
  expect((await shell('cat /dev/zero >&3', { artefact: { write, maxBytes: 100_000 } })).ended).toBe('output_limit')
  expect(got).toBeLessThanOrEqual(100_000)
})

test('what the receiver of an artefact throws is thrown', async () => {
  const artefact = { write: () => Promise.reject(new Error('disk is full')), maxBytes: 1e9 }
  await expect(shell('cat /dev/zero >&3', { artefact })).rejects.toThrow('disk is full')
})

test('a fork bomb stops at the limit', async () => {
  const code =
    'import os\nn = 0\ntry:\n  while True:\n    if os.fork() == 0:\n      os.execv("/bin/sleep", ["sleep", "60"])\n    n += 1\nexcept OSError:\n  print(n)'
  const { stdout } = await run(['/usr/bin/python3', '-I', '-S', '-c', code], { pids: 20 })
  expect(Number(stdout)).toBeGreaterThan(10)
  expect(Number(stdout)).toBeLessThanOrEqual(20)
})

test('it sees no processes, no environment and no paths of the host', async () => {
  const { stdout } = await shell(
    'ls /proc | grep -c "^[0-9]"; tr "\\0" " " < /proc/1/environ; tr "\\0" " " < /proc/1/cmdline',
  )
  const [processes, environment, commandLine] = stdout.split('\n')
  expect(Number(processes)).toBeLessThan(10)
  expect(`${environment}${commandLine}`).not.toContain(sandboxes.places.root)
  expect(`${environment}${commandLine}`).not.toContain('HOME=')
})

test('usage is measured', async () => {
  const { usage } = await shell('i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done')
  expect(usage.cpu_ms).toBeGreaterThan(5)
  expect(usage.wall_ms).toBeGreaterThan(5)
})
