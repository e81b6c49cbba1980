import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Page } from '../../src/model/page.ts'
import { type Run, isTerminal } from '../../src/model/runs.ts'
import { type Leftovers, leftoversOf } from '../support/leftovers.ts'
import { TestServer, python } from './harness.ts'

const CLI = new URL('../../src/cli/main.ts', import.meta.url).pathname
const CYCLES = 3

let dataDir: string
let leftovers: Leftovers

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'skillet-crash-'))
  leftovers = leftoversOf(dataDir)
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
    await seen('a sandbox at work', () => leftovers.processes().length > 0)
    await new Promise((resolve) => setTimeout(resolve, cycle * 500))
    child.process.kill('SIGKILL')
    await once(child.process, 'exit')
    await load
    await seen(`the end of the sandboxes of cycle ${cycle}`, () => leftovers.processes().length === 0)
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
  expect(leftovers.processes()).toEqual([])
  expect(leftovers.mounts()).toEqual([])
  expect(leftovers.groups()).toEqual([])
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
