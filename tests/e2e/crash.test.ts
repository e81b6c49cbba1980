import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Page } from '../../src/backends/ports.ts'
import { type Run, isTerminal } from '../../src/model/runs.ts'
import { TestServer, python } from './harness.ts'

const CLI = new URL('../../src/cli/main.ts', import.meta.url).pathname
const CYCLES = 4

let dataDir: string

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'skillet-crash-'))
  const server = await TestServer.start({ dataDir })
  await server.deploy('quick', python('quick', 'def handler(input: dict) -> dict:\n    return input\n'), { size: 'S' })
  await server.deploy(
    'steady',
    python('steady', 'import time\n\ndef handler(input: dict) -> dict:\n    time.sleep(0.4)\n    return input\n'),
    { size: 'S' },
  )
  await server.stop()
})
afterAll(() => rm(dataDir, { recursive: true, force: true }))

test(`kill -9 under load, ${CYCLES} times: nothing acknowledged is lost, nothing is stuck, nothing is left behind`, async () => {
  const acknowledged = new Set<string>()
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    const child = await serve()
    const load = hammer(child, acknowledged)
    // Also the proof that the look for processes finds them.
    await seen('a sandbox at work', () => sandboxProcesses().length > 0)
    await new Promise((resolve) => setTimeout(resolve, cycle * 350))
    child.process.kill('SIGKILL')
    await once(child.process, 'exit')
    await load
    await seen(`the end of the sandboxes of cycle ${cycle}`, () => sandboxProcesses().length === 0)
  }
  expect(acknowledged.size).toBeGreaterThan(CYCLES)

  const server = await TestServer.start({ dataDir })
  try {
    for (const id of acknowledged) {
      const run = await server.finished(id)
      expect(isTerminal(run.status)).toBe(true)
      if (run.status === 'succeeded') expect(run.output).toEqual(run.input)
      const events = await server.events(id)
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1))
      expect(events.filter(({ type }) => type === 'result')).toHaveLength(1)
    }
    for (const status of ['queued', 'running']) {
      await server.until(
        () => server.ok<Page<Run>>('GET', `/api/runs?status=${status}`),
        ({ items }) => items.length === 0,
      )
    }
  } finally {
    await server.stop()
  }
  expect(sandboxProcesses()).toEqual([])
  expect(leftMounts()).toEqual([])
  expect(leftGroups()).toEqual([])
})

test('a second server on the same data folder is refused and told who holds it', async () => {
  const server = await TestServer.start({ dataDir })
  try {
    const child = spawn(process.execPath, [CLI, 'serve', '--port', '0', '--data', dataDir], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const [code] = (await once(child, 'exit')) as [number]
    expect(code).not.toBe(0)
    expect(said).toContain(String(process.pid))
    expect((await server.run('quick', { still: 'here' })).output).toEqual({ still: 'here' })
  } finally {
    await server.stop()
  }
})

interface Served {
  readonly process: ChildProcess
  readonly url: string
  readonly key: string
}

async function serve(): Promise<Served> {
  const child = spawn(process.execPath, [CLI, 'serve', '--port', '0', '--log', 'off', '--data', dataDir], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const file = join(dataDir, 'server.json')
  for (;;) {
    if (child.exitCode !== null) throw new Error(`The server ended with ${child.exitCode}.`)
    const info = existsSync(file)
      ? (JSON.parse(readFileSync(file, 'utf8') || '{}') as { pid?: number; url: string })
      : null
    if (info?.pid === child.pid) {
      const ready = await fetch(`${info!.url}/readyz`).catch(() => null)
      if (ready?.ok === true)
        return { process: child, url: info!.url, key: readFileSync(join(dataDir, 'owner.key'), 'utf8').trim() }
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Six callers until the server dies under them; only what was answered counts as acknowledged. */
async function hammer({ url, key }: Served, acknowledged: Set<string>): Promise<void> {
  const caller = async (skill: string): Promise<void> => {
    for (let i = 0; ; i++) {
      try {
        const answer = await fetch(`${url}/api/skills/${skill}/stages/dev/invoke`, {
          method: 'POST',
          headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
          body: JSON.stringify({ input: { i } }),
        })
        const body = (await answer.json()) as { run_id: string }
        if (answer.status === 202) acknowledged.add(body.run_id)
        await new Promise((resolve) => setTimeout(resolve, 20))
      } catch {
        return // the server was killed: that is the test
      }
    }
  }
  await Promise.all(['quick', 'steady', 'quick', 'steady', 'quick', 'steady'].map(caller))
}

async function seen(what: string, look: () => boolean): Promise<void> {
  for (let i = 0; !look(); i++) {
    if (i === 1000) throw new Error(`Not seen: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Processes that see a folder of this test's server as a mount of their own: its sandboxes, and nothing else. */
function sandboxProcesses(): string[] {
  const folders = places()
  return readdirSync('/proc').filter(
    (pid) => /^\d+$/.test(pid) && folders.some((folder) => mountsOf(pid).includes(folder)),
  )
}

function mountsOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
  } catch {
    return '' // it has ended since
  }
}

function leftMounts(): string[] {
  return readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .filter((line) => places().some((place) => line.includes(place)))
}

/** Control groups that carry the name of one of the places. */
function leftGroups(): string[] {
  const names = places().map((place) => place.split('/').at(-1)!)
  const roots = ['/sys/fs/cgroup/memory', '/sys/fs/cgroup/pids', '/sys/fs/cgroup'].filter((root) => existsSync(root))
  return roots.flatMap((root) =>
    readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((path) => names.some((name) => path.includes(name)))
      .map((path) => join(root, path)),
  )
}

/** The data folder, and where a root server keeps what the sandboxes of this data folder see. */
function places(): string[] {
  const root = '/var/lib/skillet'
  const names = existsSync(root) ? readdirSync(root) : []
  const ours = names.filter((name) => dataFolderOf(join(root, name)) === dataDir)
  return [dataDir, ...ours.map((name) => join(root, name))]
}

function dataFolderOf(place: string): string | null {
  const file = join(place, 'data-folder')
  return existsSync(file) ? readFileSync(file, 'utf8') : null
}
