import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { chmod, chown, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { othersReach } from '../../../tests/support/others-reach.ts'
import { openPlaces } from './places.ts'
import { createBwrapDriver } from './bwrap-driver.ts'
import { findBwrap } from './find-bwrap.ts'
import { read } from './process-tree.ts'

/** Whether a server of another user can be tried: this one has to be root, and the clone not under a folder such as /root. */
const canBecomeAnother = process.getuid!() === 0 && othersReach(import.meta.dirname)
const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  // All of them, also when one fails: a server left alive would hold the output of the tests open.
  const failures: unknown[] = []
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup().catch((error: unknown) => failures.push(error))
  if (failures.length > 0) throw new AggregateError(failures, 'Cleaning up after the test failed.')
})

async function dataFolder(uid?: number): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'skillet-server-'))
  if (uid !== undefined) await chown(dir, uid, uid)
  cleanups.push(() => rm(dir, { recursive: true, force: true }))
  return dir
}

/** A process that opens places and a driver and runs what it is told, as a server would. */
async function server(
  dir: string,
  code: string,
  uid?: number,
  path = process.env['PATH'],
): Promise<{ child: ChildProcess; said: unknown }> {
  const folder = fileURLToPath(new URL('..', import.meta.url))
  const program = `
    const { closeInheritedFds } = await import('${folder}bwrap/inherited-fds.ts')
    closeInheritedFds()
    const { openPlaces } = await import('${folder}bwrap/places.ts')
    const { createBwrapDriver } = await import('${folder}bwrap/bwrap-driver.ts')
    const { runDoctor } = await import('${folder}doctor.ts')
    const dir = ${JSON.stringify(dir)}
    const places = await openPlaces(dir)
    const driver = await createBwrapDriver({ places })
    const tool = (argv, change) =>
      driver.tool({ argv, binds: [], memory_mb: 64, disk_mb: 16, timeout_ms: 60000, pids: 32, ...change })
    const say = (value) => console.log(JSON.stringify(value))
    ${code}
  `
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: path, SECRET_OF_THE_SERVER: 'hunter2' },
    cwd: '/',
    // What it starts can be told by its session.
    detached: true,
    ...(uid === undefined ? {} : { uid, gid: uid }),
  })
  cleanups.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  })
  for await (const line of createInterface({ input: child.stdout })) return { child, said: JSON.parse(line) }
  throw new Error('The process said nothing.')
}

/** Host processes whose command line holds the word. */
async function processesWith(word: string): Promise<number> {
  let count = 0
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (line.includes(word)) count++
  }
  return count
}

async function cgroupsOf(key: string): Promise<string[]> {
  const all: string[] = []
  for (const controller of await readdir('/sys/fs/cgroup')) {
    const names = await readdir(join('/sys/fs/cgroup', controller)).catch(() => [])
    all.push(...names.filter((name) => name.startsWith(`skillet-${key}`)))
  }
  return all
}

const until = async (condition: () => Promise<boolean>): Promise<void> => {
  while (!(await condition())) await sleep(20)
}

test('killing the server kills its sandboxes; the next one finds and removes what is left', async () => {
  const dir = await dataFolder()
  const word = `sleep-${process.pid}-${Date.now()}`
  const { child, said } = await server(
    dir,
    `void tool(['/bin/bash', '-c', 'exec -a ${word} sleep 1000 & exec -a ${word} sleep 1000'])
     say({ key: places.key, root: places.root, staging: places.staging })
     setInterval(() => {}, 1000)`,
  )
  const { key, root, staging } = said as { key: string; root: string; staging: string }
  cleanups.push(() => rm(root, { recursive: true, force: true }))
  await until(async () => (await processesWith(word)) >= 2)
  child.kill('SIGKILL')
  await until(async () => (await processesWith(word)) === 0)

  const places = await openPlaces(dir)
  const driver = await createBwrapDriver({ places })
  expect(await cgroupsOf(key)).toEqual([])
  await expect(readdir(staging)).rejects.toThrow(/ENOENT/)
  await driver.close()
  await places.close()
})

test('a server that is killed while bubblewrap is at work leaves nothing that waits for ever', async () => {
  const dir = await dataFolder()
  // Stops before it begins.
  const program = `#!/bin/sh\n[ "$1" = --args ] && kill -STOP $$\nexec ${await findBwrap()} "$@"\n`
  await writeFile(join(dir, 'bwrap'), program, { mode: 0o755 })
  await chmod(dir, 0o755)
  const { child, said } = await server(
    dir,
    `say(places.root)\n await tool(['/bin/true']).catch(() => undefined)`,
    undefined,
    `${dir}:${process.env['PATH']}`,
  )
  cleanups.push(() => rm(said as string, { recursive: true, force: true }))
  const stopped = (): string[] => inSession(child.pid!, /^T$/)
  await until(async () => stopped().length > 0)
  const [bwrap] = stopped()
  child.kill('SIGKILL')
  await once(child, 'exit')
  process.kill(Number(bwrap), 'SIGCONT')
  await until(async () => inSession(child.pid!, /^[^Z]$/).length === 0)
})

test('closing leaves no process, cgroup, mount, user id or folder', async () => {
  const dir = await dataFolder()
  const word = `sleep-${process.pid}-${Date.now()}`
  const places = await openPlaces(dir)
  cleanups.push(() => rm(places.root, { recursive: true, force: true }))
  const driver = await createBwrapDriver({ places })
  const running = driver.tool({
    argv: ['/bin/bash', '-c', `exec -a ${word} sleep 1000`],
    binds: [],
    memory_mb: 128,
    disk_mb: 16,
    timeout_ms: 60_000,
  })
  running.catch(() => undefined)
  await until(async () => (await processesWith(word)) > 0)
  await driver.close()
  await places.close()
  expect(await processesWith(word)).toBe(0)
  expect(await cgroupsOf(places.key)).toEqual([])
  expect(await readFile('/proc/mounts', 'utf8')).not.toContain(places.root)
  await expect(readdir(places.staging)).rejects.toThrow(/ENOENT/)
})

test('a living server keeps its sandboxes when another starts on its own data folder', async () => {
  const first = await dataFolder()
  const word = `sleep-${process.pid}-${Date.now()}`
  // What the killed one leaves is swept by the next on the same folder.
  cleanups.push(async () => {
    const places = await openPlaces(first)
    await (await createBwrapDriver({ places })).close()
    await places.close()
    await rm(places.root, { recursive: true, force: true })
  })
  const { said } = await server(
    first,
    `void tool(['/bin/bash', '-c', 'exec -a ${word} sleep 1000'])
     say(places.root)
     setInterval(() => {}, 1000)`,
  )
  expect(said).toEqual(expect.any(String))
  await until(async () => (await processesWith(word)) > 0)
  const places = await openPlaces(await dataFolder())
  cleanups.push(() => rm(places.root, { recursive: true, force: true }))
  const driver = await createBwrapDriver({ places })
  await driver.close()
  await places.close()
  expect(await processesWith(word)).toBeGreaterThan(0)
})

/** Processes that it has started, but for those that have begun a session of their own. */
const inSession = (leader: number, state: RegExp): string[] =>
  readdirSync('/proc').filter((pid) => {
    const [its = '', , , session] = read(`/proc/${pid}/stat`).split(') ').at(-1)!.split(' ')
    return Number(session) === leader && state.test(its)
  })

const ANOTHER = 'a server of another user needs root to start it, and a clone that others can read'
const USERS = [
  ['the user of this test', undefined],
  ['an ordinary user', 65_534],
] as const

for (const [who, uid] of USERS) {
  test(`the doctor finds no way out for a server of ${who}`, async ({ skip }) => {
    skip(uid !== undefined && !canBecomeAnother, ANOTHER)
    const dir = await dataFolder(uid)
    const { child, said } = await server(
      dir,
      `say({ report: await runDoctor({ driver, places, dataDir: dir }), limits: driver.capabilities().limits, root: places.root })
       await driver.close()
       await places.close()`,
      uid,
    )
    const { report, limits, root } = said as {
      report: { ok: boolean; checks: object[] }
      limits: string
      root: string
    }
    cleanups.push(() => rm(root, { recursive: true, force: true }))
    expect(report.checks.filter((check) => !(check as { ok: boolean }).ok)).toEqual([])
    expect(report.checks).toContainEqual({ check: 'inherited descriptors', ok: true, detail: 'none', fix: null })
    if (uid !== undefined) expect(limits).toBe('soft')
    await new Promise((resolve) => child.once('exit', resolve))
  })

  test(`limits hold for a server of ${who}`, async ({ skip }) => {
    skip(uid !== undefined && !canBecomeAnother, ANOTHER)
    const dir = await dataFolder(uid)
    const { said } = await server(
      dir,
      `const grow = 'import time\\nkept = []\\nwhile True:\\n  kept.append(bytearray(1 << 20))\\n  time.sleep(0.002)'
       const memory = await tool(['/usr/bin/python3', '-I', '-S', '-c', grow])
       const time = await tool(['/bin/sh', '-c', 'while :; do :; done'], { timeout_ms: 300 })
       const environment = await tool(['/bin/sh', '-c', 'cat /proc/1/environ; env; ls /proc/self/fd'])
       say({ memory: memory.ended, time: time.ended, environment: environment.stdout, root: places.root })
       await driver.close()
       await places.close()`,
      uid,
    )
    const { memory, time, environment, root } = said as Record<string, string>
    cleanups.push(() => rm(root!, { recursive: true, force: true }))
    expect({ memory, time }).toEqual({ memory: 'memory_limit', time: 'timeout' })
    expect(environment).not.toContain('hunter2')
  })
}
