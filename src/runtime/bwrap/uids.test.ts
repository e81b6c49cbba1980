import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { invoke, openTestSessions } from '../test-sessions.ts'
import { SANDBOX_UIDS, createUidPool } from './uids.ts'

const COUNT = SANDBOX_UIDS.last - SANDBOX_UIDS.first + 1
const isRoot = process.getuid!() === 0
const folders: string[] = []
afterEach(async () => {
  for (const path of folders.splice(0)) await rm(path, { recursive: true, force: true })
})

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'skillet-uids-'))
  folders.push(path)
  return path
}

/** Another server: it takes so many, says which, and keeps them for as long as it lives. */
async function server(shared: string, count: number) {
  const program = `
    const { createUidPool } = await import('${new URL('uids.ts', import.meta.url).href}')
    const pool = createUidPool('${shared}')
    const taken = []
    try { while (taken.length < ${count}) taken.push(pool.take()) } catch {}
    console.log(JSON.stringify(taken))
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const gone = once(child, 'exit')
  return {
    taken: JSON.parse(line) as number[],
    async kill() {
      child.kill('SIGKILL')
      await gone
    },
  }
}

test('servers that take users at the same moment never share one, and find those of a server that was killed', async () => {
  const shared = await folder()
  const [first, second, third] = await Promise.all([
    server(shared, COUNT),
    server(shared, COUNT),
    server(shared, COUNT),
  ])
  const taken = [first, second, third].flatMap((one) => one.taken)
  expect(sorted(taken)).toEqual(Array.from({ length: COUNT }, (_, i) => SANDBOX_UIDS.first + i))
  const pool = createUidPool(shared)
  expect(() => pool.take()).toThrow(/All 477 user ids.*60707 to 61183.*in use/)
  await first.kill()
  expect(sorted(first.taken.map(() => pool.take()))).toEqual(sorted(first.taken))
  expect(() => pool.take()).toThrow(/in use/)
  await Promise.all([second.kill(), third.kill()])
})

const sorted = (uids: readonly number[]): number[] => uids.toSorted((a, b) => a - b)

/** Leaves something of every kind that the kernel keeps for a user, or for longer than a process. */
const LEAVING = `
import ctypes, os
def handler(input):
    libc = ctypes.CDLL(None, use_errno=True)
    for folder in ("/tmp", "/dev/shm"):
        with open(folder + "/left", "w") as file: file.write("here")
        os.symlink("/etc/passwd", folder + "/link")
        os.mkfifo(folder + "/fifo")
    libc.mq_open(b"/left", os.O_CREAT | os.O_RDWR, 0o600, None)
    libc.semget(0x5ee, 1, 0o1600)
    libc.syscall(248, b"user", b"left", b"x", 1, -3)
    if os.fork() == 0:
        os.setsid()
        while True: pass
    return open("/proc/self/uid_map").read().split()[1]
`

test.skipIf(!isRoot)('who gets the user of a sandbox that has ended gets nothing of what it left', async () => {
  const sessions = await openTestSessions()
  try {
    const session = await sessions.python(LEAVING)
    const uid = Number((await invoke(session, {})).output)
    expect(uid).toBeGreaterThanOrEqual(SANDBOX_UIDS.first)
    expect(uid).toBeLessThanOrEqual(SANDBOX_UIDS.last)
    await session.kill()
    expect(await processesOf(uid)).toEqual([])
    const places = ['/tmp', '/var/tmp', '/dev/shm', '/dev/mqueue', '/run', sessions.places.root]
    // Others' files come and go meanwhile, which `find` remarks on.
    const find = promisify(execFile)('find', [...places, '-xdev', '-user', String(uid)])
    const { stdout } = await find.catch((error: { stdout: string }) => error)
    expect(stdout).toBe('')
    for (const kind of ['shm', 'sem', 'msg']) {
      const lines = (await readFile(`/proc/sysvipc/${kind}`, 'utf8')).split('\n').slice(1)
      expect(lines.filter((line) => line.trim().split(/\s+/).includes(String(uid)))).toEqual([])
    }
    expect(await readFile('/proc/key-users', 'utf8')).not.toMatch(new RegExp(`^ *${uid}:`, 'm'))
  } finally {
    await sessions.close()
  }
})

/** Without those that are over, and only wait for the first process of the machine to take note. */
async function processesOf(uid: number): Promise<string[]> {
  const found: string[] = []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
    if (new RegExp(`^Uid:\\s+${uid}\\b`, 'm').test(status) && !/^State:\s+[ZX]/m.test(status)) found.push(pid)
  }
  return found
}
