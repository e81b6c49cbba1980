import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Page } from '../../src/model/page.ts'
import type { Queues } from '../../src/model/queues.ts'
import type { Run, RunEvent } from '../../src/model/runs.ts'
import { cli } from '../support/cli.ts'
import { type Leftovers, leftoversOf } from '../support/leftovers.ts'
import { TestServer, python } from './harness.ts'

const FLAKY = `
def handler(input: dict, context) -> dict:
    attempt = context.run.attempt
    print(f"attempt {attempt}", flush=True)
    if attempt <= input["failures"]:
        raise RuntimeError(f"attempt {attempt} of {input['failures']} failed")
    return {"attempt": attempt}

`
const SLEEPER = `
import time


def handler(input: dict) -> dict:
    print("begun", flush=True)
    time.sleep(input["seconds"])
    return input
`
const RETRY = { attempts: 3, backoff_s: 0.05 }

const deadLetters = async (server: TestServer): Promise<string[]> =>
  (await server.ok<Page<Run>>('GET', '/api/dead-letters')).items.map(({ id }) => id)

/** What followers of a run are told: how it stands, and what it wrote. */
const told = (events: readonly RunEvent[]): string[] =>
  events.flatMap(({ type, data }) => {
    const { status, lines } = data as { status?: string; lines?: { text: string }[] }
    return type === 'log' ? lines!.map(({ text }) => text) : `${type} ${status}`
  })

describe('retries', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await TestServer.start()
    await server.deploy('flaky', python('flaky', FLAKY), { size: 'S', retry: RETRY })
    await server.deploy('once', python('once', FLAKY), { size: 'S' })
  })
  afterAll(() => server.stop())

  test('a skill that fails twice and then succeeds has succeeded, and its followers saw each attempt', async () => {
    const id = await server.begin('flaky', { failures: 2 })
    const events = await server.events(id)
    expect(told(events)).toEqual([
      'status queued',
      'status running',
      'attempt 1',
      'status queued',
      'status running',
      'attempt 2',
      'status queued',
      'status running',
      'attempt 3',
      'result succeeded',
    ])
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1))
    const again = events.map(({ data }) => data as { reason?: string }).filter(({ reason }) => reason === 'retry')
    expect(again).toMatchObject([
      { attempt: 1, failure: 'runtime_error', error: { message: 'attempt 1 of 2 failed' } },
      { attempt: 2, failure: 'runtime_error', error: { message: 'attempt 2 of 2 failed' } },
    ])
    expect(await server.find(id)).toMatchObject({
      status: 'succeeded',
      attempt: 3,
      output: { attempt: 3 },
      error: null,
    })
    expect(await deadLetters(server)).toEqual([])
  })

  test('one that never succeeds is a dead letter; replayed, it is tried as often again', async () => {
    const run = await server.run('flaky', { failures: 9 })
    expect(run).toMatchObject({ status: 'failed', reason: 'runtime_error', attempt: 3, dead_letter: true })
    expect(run.error?.message).toContain('attempt 3 of 9 failed')
    expect(await deadLetters(server)).toEqual([run.id])
    const { run_id } = await server.ok<{ run_id: string }>('POST', `/api/dead-letters/${run.id}/replay`)
    expect(await server.finished(run_id)).toMatchObject({ status: 'failed', attempt: 3, replay_of: run.id })
    expect(await deadLetters(server)).toEqual([run_id])
    await server.ok('DELETE', `/api/dead-letters/${run_id}`)
    expect(await deadLetters(server)).toEqual([])
  })

  test('whoever invokes at the command line is told of the attempt that failed', async () => {
    const env = { SKILLET_URL: server.url, SKILLET_KEY: server.key }
    const { code, out, err } = await cli(['invoke', 'flaky', '--input', '{"failures":1}'], { env })
    expect([code, JSON.parse(out)]).toEqual([0, { attempt: 2 }])
    expect(err).toContain('attempt 1 failed (runtime_error: attempt 1 of 1 failed)')
  })

  test('without a policy a failure is the end, and no dead letter', async () => {
    expect(await server.run('once', { failures: 1 })).toMatchObject({
      status: 'failed',
      attempt: 1,
      dead_letter: false,
    })
  })

  test('a run that waits for its retry is cancelled at once', async () => {
    await server.deploy('patient', python('patient', FLAKY), { size: 'S', retry: { attempts: 2, backoff_s: 300 } })
    const id = await server.begin('patient', { failures: 1 })
    await server.events(id, 1, (event) => told([event])[0] === 'status queued')
    const queues = await server.ok<Queues>('GET', '/api/queues')
    expect(queues.queues).toContainEqual(expect.objectContaining({ queue: 'default', later: 1, waiting: 0 }))
    expect(await server.ok('POST', `/api/runs/${id}/cancel`)).toMatchObject({ status: 'cancelled', dead_letter: false })
  })
})

describe('a server that is told to stop', () => {
  let dataDir: string
  let leftovers: Leftovers
  let child: ChildProcess | null = null
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'skillet-drain-'))
    leftovers = leftoversOf(dataDir)
    const server = await TestServer.start({ dataDir })
    await server.deploy('sleeper', python('sleeper', SLEEPER), { size: 'S' })
    await server.deploy('flaky', python('flaky', FLAKY), { size: 'S', retry: { attempts: 2, backoff_s: 4 } })
    await server.deploy('held', python('held', SLEEPER), { size: 'S' })
    await server.stop()
  })
  afterEach(() => void child?.kill('SIGKILL'))
  afterAll(() => rm(dataDir, { recursive: true, force: true }))

  test('lets short runs end, hands long ones back, and the next server ends all, also what is retried and paused', async () => {
    child = serve(dataDir)
    const call = await callerOf(child, dataDir)
    await call('POST', '/api/skills/held/stages/dev/pause')
    const [short, long, retried, paused] = await Promise.all([
      call('POST', '/api/skills/sleeper/stages/dev/invoke', { input: { seconds: 0.5 } }),
      call('POST', '/api/skills/sleeper/stages/dev/invoke', { input: { seconds: 5 } }),
      call('POST', '/api/skills/flaky/stages/dev/invoke', { input: { failures: 1 } }),
      call('POST', '/api/skills/held/stages/dev/invoke', { input: { seconds: 0 } }),
    ]).then((answers) => answers.map(({ run_id }) => run_id!))
    await until(async () => (await call('GET', `/api/runs/${long}/logs`)).items?.length === 1)
    await until(async () => (await laterOf(call)) === 1)
    child.kill('SIGTERM')
    const [code] = (await once(child, 'exit')) as [number]
    expect(code).toBe(0)
    expect(leftovers.processes()).toEqual([])

    const next = await TestServer.start({ dataDir })
    try {
      expect(await next.find(short!)).toMatchObject({ status: 'succeeded', attempt: 1 })
      expect(await next.find(paused!)).toMatchObject({ status: 'queued', attempt: 0 })
      expect(told(await next.events(long!))).toEqual([
        'status queued',
        'status running',
        'begun',
        'status queued',
        'status running',
        'begun',
        'result succeeded',
      ])
      expect(await next.find(long!)).toMatchObject({ attempt: 1, output: { seconds: 5 } })
      expect(await next.finished(retried!)).toMatchObject({ status: 'succeeded', attempt: 2 })
      expect(await next.find(paused!)).toMatchObject({ status: 'queued' })
      await next.ok('POST', '/api/skills/held/stages/dev/resume')
      expect(await next.finished(paused!)).toMatchObject({ status: 'succeeded', attempt: 1 })
    } finally {
      await next.stop()
    }
  })
})

const CLI = new URL('../../src/cli/main.ts', import.meta.url).pathname

function serve(dataDir: string): ChildProcess {
  const args = ['serve', '--port', '0', '--log', 'off', '--grace', '2', '--data', dataDir]
  return spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
}

interface Told {
  readonly run_id?: string
  readonly items?: unknown[]
  readonly queues?: Queues['queues']
}
type Caller = (method: string, path: string, body?: object) => Promise<Told>

async function callerOf(child: ChildProcess, dataDir: string): Promise<Caller> {
  let url: string | undefined
  for await (const chunk of child.stdout!) {
    url = /http:\S+/.exec(String(chunk))?.[0]
    if (url !== undefined) break
  }
  const key = (await readFile(join(dataDir, 'owner.key'), 'utf8')).trim()
  return async (method, path, body) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    const content = body === undefined ? {} : { body: JSON.stringify(body) }
    const answer = await fetch(new URL(path, url), { method, headers, ...content })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
    return JSON.parse(text) as Told
  }
}

/** Runs that wait for a retry. */
const laterOf = async (call: Caller): Promise<number> =>
  (await call('GET', '/api/queues')).queues!.find(({ queue }) => queue === 'default')!.later

async function until(look: () => Promise<boolean>): Promise<void> {
  while (!(await look())) await new Promise((resolve) => setTimeout(resolve, 10))
}
