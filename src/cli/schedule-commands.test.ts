import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CliResult, cli } from '../../tests/support/cli.ts'
import { packageOf } from '../http/fixtures/packages.ts'
import { finish, take } from '../http/fixtures/played-worker.ts'
import { type TestServer, startTestServer } from '../http/fixtures/test-server.ts'
import type { Fire, FireTime, Schedule, ScheduleOutlook, ScheduleSummary } from '../model/schedules.ts'
import { createDeploymentCache } from '../runs/deployment-cache.ts'
import { createPlanner } from '../runs/planning.ts'
import { createTicker } from '../schedules/ticker.ts'

let server: TestServer
let folder: string
beforeAll(async () => {
  server = await startTestServer()
  folder = await mkdtemp(join(tmpdir(), 'skillet-schedule-cli-'))
  await server.deploy('notes', 'prod', packageOf('one'))
})
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
  await rm(folder, { recursive: true, force: true })
})

const skillet = (...args: string[]): Promise<CliResult> =>
  cli(['schedule', ...args], { cwd: folder, env: { SKILLET_URL: server.url, SKILLET_KEY: server.key } })
const text = async (...args: string[]): Promise<string> => {
  const { code, out, err } = await skillet(...args)
  expect([code, err]).toEqual([0, ''])
  return out
}
const json = async <T>(...args: string[]): Promise<T> => JSON.parse(await text(...args, '--json')) as T
const show = (stage: string) => json<Schedule & { next: FireTime[] }>('show', 'notes', stage)

async function newStage(): Promise<string> {
  const stage = `stage-${++stages}`
  await server.call('PUT', `/api/skills/notes/stages/${stage}`, {})
  return stage
}
let stages = 0

/** Fires what is due at that time, as the server would. */
async function tickAt(at: number): Promise<void> {
  const { engine } = server
  const schemas = { validate: async () => [] }
  const { plan } = createPlanner({ engine, schemas, deployments: createDeploymentCache(engine) })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const ticker = createTicker({ engine, plan, now: () => at, onFired: () => resolve(), onError: reject })
  ticker.start()
  await promise
  await ticker.stop()
}

test('a schedule is set with everything, and shown to people with its local times', async () => {
  const line =
    'set notes prod --zone Europe/Berlin --starts 2090-03-24 --ends 2090-03-31 --jitter 30 --overlap queue_one ' +
    '--catch-up latest --catch-up-window 600'
  const out = await text(...line.split(' '), '--cron', '30 2 * * *', '--input', '{"a": 1}')
  expect(out).toBe(`notes/prod  30 2 * * *  Europe/Berlin
state     enabled
starts    2090-03-24T00:00:00.000Z
ends      2090-04-01T00:00:00.000Z
jitter    up to 30 s
overlap   queue_one
catch-up  the latest of the last 600 s
input     {"a":1}

NEXT IN Europe/Berlin        UTC
Fri 2090-03-24 02:30 +01:00  2090-03-24T01:30:00.000Z
Sat 2090-03-25 02:30 +01:00  2090-03-25T01:30:00.000Z
Mon 2090-03-27 02:30 +02:00  2090-03-27T00:30:00.000Z
Tue 2090-03-28 02:30 +02:00  2090-03-28T00:30:00.000Z
Wed 2090-03-29 02:30 +02:00  2090-03-29T00:30:00.000Z
`)
  expect(await text('show', 'notes', 'prod')).toBe(out)
  expect((await show('prod')).next.map(({ local }) => local)[0]).toBe('2090-03-24T02:30:00+01:00')
})

test('what is not named stays as it is', async () => {
  const stage = await newStage()
  await writeFile(join(folder, 'input.json'), '{"from": "a file"}')
  const first = await json<Schedule>(
    'set',
    'notes',
    stage,
    '--cron',
    '0 6 * * *',
    '--input-file',
    'input.json',
    '--disabled',
  )
  expect(first).toMatchObject({ revision: 1, enabled: false, input: { from: 'a file' }, zone: 'UTC' })
  const starts = await json<Schedule>('set', 'notes', stage, '--starts', '2090-01-01T12:00:00+02:00', '--jitter', '5')
  expect(starts).toMatchObject({ ...first, ...changed(starts), starts_at: '2090-01-01T10:00:00.000Z', jitter_s: 5 })
  const none = await json<Schedule>('set', 'notes', stage, '--starts', 'none', '--overlap', 'allow')
  expect(none).toMatchObject({ ...starts, ...changed(none), starts_at: null, overlap: 'allow' })
})

const changed = ({ revision, updated_at }: Schedule) => ({ revision, updated_at })

test.each([
  [[], 2, '--cron'],
  [['--cron', '0 6 * *'], 1, '4 fields'],
  [['--cron', '0 6 * * *', '--zone', '+02:00'], 1, 'not a time zone'],
  [['--cron', '0 6 * * *', '--starts', '31/12/2090'], 2, 'neither a day'],
  [['--cron', '0 6 * * *', '--jitter', '1m'], 2, 'seconds'],
  [['--cron', '0 6 * * *', '--overlap', 'queue'], 2, 'queue_one'],
  [['--cron', '0 6 * * *', '--input', '{}', '--input-file', 'x'], 2, '--input-file'],
  [['--cron', '0 6 * * *', '--input', '{'], 2, 'JSON'],
])('set %j says what is wrong', async (args, code, message) => {
  const result = await skillet('set', 'notes', await newStage(), ...args)
  expect([result.code, result.out]).toEqual([code, ''])
  expect(result.err).toContain(message)
})

test('places of an input that does not fit are named', async () => {
  const { code, err } = await skillet('set', 'notes', 'prod', '--input', '{"a": "one"}')
  expect([code, err]).toEqual([1, expect.stringContaining('/a: ')])
})

test('paused, resumed, deleted; what there is not is exit code 5', async () => {
  const stage = await newStage()
  await text('set', 'notes', stage, '--cron', '* * * * *')
  expect(await text('pause', 'notes', stage)).toBe(`The schedule of notes/${stage} is paused.\n`)
  expect(await text('show', 'notes', stage)).toContain(`skillet schedule resume notes ${stage}\n`)
  expect(await text('next', 'notes', stage)).toBe('It fires at no time: it is paused, or over.\n')
  expect(await text('resume', 'notes', stage)).toMatch(/fires next at 2\d{3}-.*Z\.$/m)
  expect((await json<ScheduleOutlook>('next', 'notes', stage, '--count', '7')).next).toHaveLength(7)
  expect(await text('delete', 'notes', stage)).toBe(`The schedule of notes/${stage} was deleted.\n`)
  for (const verb of ['show', 'next', 'pause', 'resume', 'delete']) {
    expect([verb, (await skillet(verb, 'notes', stage)).code]).toEqual([verb, 5])
  }
  expect((await skillet('set', 'notes', 'nowhere', '--cron', '* * * * *')).err).toContain('notes/nowhere')
})

test('what it did last, and what became of each instant', async () => {
  const { next_at } = await json<Schedule>(
    'set',
    'notes',
    'prod',
    '--cron',
    '0 * * * *',
    '--starts',
    'none',
    '--jitter',
    '0',
  )
  await tickAt(Date.parse(next_at!))
  const { last } = await show('prod')
  expect(await text('show', 'notes', 'prod')).toContain(`last      ${next_at} started ${last!.run}, queued\n`)
  const error = { type: 'ValueError', message: 'The service is away.' }
  const claim = await take(server.engine, last!.run!)
  await finish(server.engine, claim, { status: 'failed', reason: 'runtime_error', error, output: null })
  expect(await text('show', 'notes', 'prod')).toContain(`${last!.run}, failed: The service is away.\n`)
  expect((await json<{ items: Fire[] }>('fires', 'notes', 'prod')).items).toEqual([last])
  expect(await text('fires', 'notes', 'prod')).toContain(`${next_at}  started  ${last!.run}`)

  const { items } = await json<{ items: ScheduleSummary[] }>('list')
  expect(items.find(({ stage }) => stage === last!.stage)).toMatchObject({ last })
  expect(await text('list')).toMatch(
    new RegExp(`^notes/prod +0 \\* \\* \\* \\* +Europe/Berlin .* started +${next_at}$`, 'm'),
  )
  expect(await text('list', '--limit', '1')).toContain('--cursor')
})

test('an expression is tried out, with what EventBridge takes', async () => {
  const args = ['preview', '--cron', '0 6 13 * FRI', '--zone', 'Asia/Kolkata', '--starts', '2090-01-01', '--count', '2']
  expect(await text(...args)).toBe(`NEXT IN Asia/Calcutta        UTC
Fri 2090-01-06 06:00 +05:30  2090-01-06T00:30:00.000Z
Fri 2090-01-13 06:00 +05:30  2090-01-13T00:30:00.000Z

EventBridge: cron(0 6 13 * ? *)
             cron(0 6 ? * 6 *)
`)
  expect(await json<ScheduleOutlook>(...args)).toMatchObject({ cron: '0 6 13 * FRI', zone: 'Asia/Calcutta' })
  expect((await skillet('preview', '--cron', '0 6 L * *')).err).toContain('are not taken')
})
