import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type CliResult, cli } from '../../tests/support/cli.ts'
import { packageOf } from '../http/fixtures/packages.ts'
import { finish, take } from '../http/fixtures/played-worker.ts'
import { type TestServer, startTestServer } from '../http/fixtures/test-server.ts'
import type { AuditEvent } from '../model/audit.ts'
import type { Queues } from '../model/queues.ts'
import type { Run } from '../model/runs.ts'
import type { Stage, StageConfig } from '../model/skills.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await server.deploy('adder', 'dev', packageOf('one'))
})
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})
beforeEach(async () => {
  for (const id of await deadLetters()) await server.call('DELETE', `/api/dead-letters/${id}`)
})

const skillet = (...args: string[]): Promise<CliResult> =>
  cli(args, { env: { SKILLET_URL: server.url, SKILLET_KEY: server.key } })
const json = async <T>(...args: string[]): Promise<T> => {
  const { code, out, err } = await skillet(...args, '--json')
  expect([code, err]).toEqual([0, ''])
  return JSON.parse(out) as T
}
const deadLetters = async (): Promise<string[]> =>
  (await json<{ items: Run[] }>('dead-letter', 'list', '--limit', '200')).items.map(({ id }) => id)

async function begin(): Promise<string> {
  const { body } = await server.call<{ run_id: string }>('POST', '/api/skills/adder/stages/dev/invoke', {
    input: { a: 1 },
  })
  return body.run_id
}

async function newDeadLetter(): Promise<string> {
  const id = await begin()
  const error = { type: 'ValueError', message: 'The service\nis away.' }
  const ending = { status: 'failed', reason: 'runtime_error', error, output: null, dead_letter: true } as const
  await finish(server.engine, await take(server.engine, id), ending)
  return id
}

const config = (...args: string[]) => json<StageConfig>('stage', 'config', 'adder', 'retrying', ...args)
const put = (retry: object) => server.call('PUT', '/api/skills/adder/stages/dev', { config: { retry } })

const audited = async (action: string) =>
  (await server.call<{ items: AuditEvent[] }>('GET', `/api/audit?action=${action}`)).body.items

test('retries are configured, changed one by one, frozen by the next deploy, and taken away', async () => {
  await server.upload('adder', 'retrying', packageOf('retrying'))
  const { retry } = await config('--retry-attempts', '3', '--retry-on', 'timeout', 'runtime_error')
  expect(retry).toEqual({
    attempts: 3,
    backoff_s: 1,
    factor: 2,
    max_backoff_s: 300,
    reasons: ['timeout', 'runtime_error'],
  })
  const changed = await config('--retry-backoff', '0.5', '--timeout', '20')
  expect(changed).toMatchObject({ timeout_s: 20, retry: { ...retry, backoff_s: 0.5 } })
  const deployment = await server.deploy('adder', 'retrying', packageOf('retrying'))
  expect(deployment.config.retry).toEqual(changed.retry)
  expect(await config('--no-retry')).toEqual({ timeout_s: 20 })
  const frozen = await server.call('GET', '/api/skills/adder/stages/retrying/deployment')
  expect(frozen.body).toMatchObject({ config: { retry: changed.retry } })
})

test.each([
  [['--retry-backoff', '2'], '--retry-attempts'],
  [['--retry-attempts', '11'], '--retry-attempts'],
  [['--retry-attempts', '2', '--retry-backoff', '600'], '--retry-max-backoff'],
  [['--retry-attempts', '2', '--retry-on', 'input_invalid'], '--retry-on'],
  [['--retry-attempts', '2', '--no-retry'], '--no-retry'],
])('%j is wrong usage, and says where', async (args, option) => {
  const { code, err } = await skillet('stage', 'config', 'adder', 'dev', ...args)
  expect([code, err.includes(option)]).toEqual([2, true])
})

test('the server refuses retries that cannot be, with their place', async () => {
  expect(await put({ attempts: 2, reasons: ['stage_not_active'] })).toMatchObject({
    status: 400,
    body: { errors: [{ pointer: '/config/retry/reasons/0' }] },
  })
  expect(await put({ attempts: 2, backoff_s: 600 })).toMatchObject({
    status: 400,
    body: { errors: [{ pointer: '/config/retry/max_backoff_s' }] },
  })
})

test('a paused tenant takes runs in and lets none begin until it is resumed', async () => {
  const paused = await skillet('queue', 'pause')
  expect(paused).toMatchObject({ code: 0, out: expect.stringContaining('skillet queue resume') })
  const id = await begin()
  expect(await server.engine.runs.take('default', 1, 60_000)).toEqual([])
  expect((await skillet('queue', 'show')).out).toMatch(/^default +0 +0 +0 +1 +/m)
  const queues = await json<Queues>('queue', 'resume')
  expect(queues).toMatchObject({ paused: false, queues: [{ queue: 'default', waiting: 1 }, { queue: 'long' }] })
  await finish(server.engine, await take(server.engine, id))
  expect((await audited('queue.pause'))[0]).toMatchObject({ target_kind: 'tenant' })
  expect(await audited('queue.resume')).toHaveLength(1)
})

test('a paused stage holds its own runs back', async () => {
  expect(await skillet('stage', 'pause', 'adder', 'dev')).toMatchObject({ code: 0, out: 'adder/dev is paused.\n' })
  const id = await begin()
  expect(await server.engine.runs.take('default', 1, 60_000)).toEqual([])
  expect((await skillet('stage', 'show', 'adder', 'dev')).out).toMatch(/^dev +active, paused/m)
  expect((await skillet('queue', 'show')).out).toContain('Paused stages: stg_')
  const stage = await json<Stage>('stage', 'resume', 'adder', 'dev')
  expect(stage).toMatchObject({ name: 'dev', paused: false })
  await finish(server.engine, await take(server.engine, id))
  expect((await skillet('stage', 'pause', 'adder', 'nowhere')).code).toBe(5)
})

test('dead letters are listed with why they failed', async () => {
  const id = await newDeadLetter()
  const list = await skillet('dead-letter', 'list', '--skill', 'adder', '--stage', 'dev')
  expect(list.out).toMatch(new RegExp(`^${id} +runtime_error +1 +\\S+ +The service is away\\.$`, 'm'))
  await server.deploy('adder', 'other', packageOf('one'))
  expect(await json('dead-letter', 'list', '--skill', 'adder', '--stage', 'other')).toEqual({ items: [], next: null })
})

test('a dead letter is replayed as a new run, once, and is none any more', async () => {
  const id = await newDeadLetter()
  const { code, out } = await skillet('dead-letter', 'replay', id)
  expect(code).toBe(0)
  expect(await json<Run>('run', 'show', out.trim())).toMatchObject({ replay_of: id, status: 'queued', input: { a: 1 } })
  expect(await deadLetters()).toEqual([])
  expect((await audited('run.replay'))[0]).toMatchObject({ target: out.trim(), detail: { replay_of: id } })
  expect(await skillet('dead-letter', 'replay', id)).toMatchObject({ code: 5, out: '' })
})

test('two who replay a dead letter at once get the same run', async () => {
  const id = await newDeadLetter()
  const answers = await Promise.all(
    [1, 2, 3].map(() => server.call<{ run_id?: string }>('POST', `/api/dead-letters/${id}/replay`)),
  )
  const runs = new Set(answers.flatMap(({ body }) => body.run_id ?? []))
  expect(runs.size).toBe(1)
  const { items } = (await server.call<{ items: Run[] }>('GET', '/api/runs')).body
  expect(items.filter(({ replay_of }) => replay_of === id).map((run) => run.id)).toEqual([...runs])
})

test('a run that is replayed as a run is a dead letter no more, either', async () => {
  const id = await newDeadLetter()
  expect(await deadLetters()).toEqual([id])
  await skillet('run', 'replay', id, '--detach')
  expect(await deadLetters()).toEqual([])
})

test('a dead letter is deleted, and its run stays', async () => {
  const id = await newDeadLetter()
  expect(await skillet('dead-letter', 'delete', id)).toMatchObject({ code: 0, out: '1 deleted.\n' })
  expect(await json('run', 'show', id)).toMatchObject({ status: 'failed', dead_letter: false })
  expect((await audited('run.dismiss'))[0]).toMatchObject({ target: id })
  expect((await skillet('dead-letter', 'delete', id)).code).toBe(5)
  expect((await skillet('dead-letter', 'delete', await begin())).code).toBe(5)
})

test('all are done, of which one is refused without holding up the others', async () => {
  await server.deploy('doomed', 'dev', packageOf('one'))
  const kept: ReadonlySet<string | null> = new Set([await newDeadLetter(), await newDeadLetter()])
  const { body } = await server.call<{ run_id: string }>('POST', '/api/skills/doomed/stages/dev/invoke', {
    input: { a: 1 },
  })
  await finish(server.engine, await take(server.engine, body.run_id), {
    status: 'failed',
    reason: 'timeout',
    output: null,
    dead_letter: true,
  })
  await server.call('DELETE', '/api/skills/doomed')
  const { code, out, err } = await skillet('dead-letter', 'replay', '--all')
  expect(code).toBe(1)
  expect(out).toMatch(new RegExp(`^2 replayed, 1 could not be\\.\n${body.run_id}: .*deleted`))
  expect(err).toContain('replaying dead letters, page 1: 3')
  expect(await deadLetters()).toEqual([body.run_id])
  const { items } = (await server.call<{ items: Run[] }>('GET', '/api/runs')).body
  expect(items.filter(({ replay_of }) => kept.has(replay_of))).toHaveLength(2)

  expect((await skillet('dead-letter', 'delete', '--all')).err).toContain('--yes')
  expect((await skillet('dead-letter', 'delete', '--all', '--yes')).out).toBe('1 deleted.\n')
  expect(await deadLetters()).toEqual([])
})

test.each([[['dead-letter', 'replay']], [['dead-letter', 'replay', 'run_1', '--all']]])(
  '%j is wrong usage',
  async (args) => {
    const { code, err } = await skillet(...args)
    expect([code, err.includes('or --all')]).toEqual([2, true])
  },
)
