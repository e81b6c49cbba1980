import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AuditEvent } from '../model/audit.ts'
import type { Schedule, ScheduleOutlook, ScheduleSummary } from '../model/schedules.ts'
import { packageOf } from './fixtures/packages.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'

type Answer = Schedule & { code: string; detail: string; errors: { pointer: string }[] }

let server: TestServer
let tenant: string
beforeAll(async () => {
  server = await startTestServer()
  // It takes objects with an integer `a`.
  const deployment = await server.deploy('notes', 'prod', packageOf('one'))
  tenant = deployment.tenant
  await server.call('PUT', '/api/skills/notes/stages/empty', {})
  await server.call('PATCH', `/api/tenants/${tenant}`, { zone: 'Asia/Kolkata' }, { key: server.operatorKey })
})
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})

const pathOf = (stage: string): string => `/api/skills/notes/stages/${stage}/schedule`
const put = (body: object, stage = 'empty') => server.call<Answer>('PUT', pathOf(stage), body)
const get = async (stage = 'empty') => (await server.call<Answer>('GET', pathOf(stage))).body
const post = (verb: 'pause' | 'resume', stage = 'empty') => server.call<Answer>('POST', `${pathOf(stage)}/${verb}`)
const preview = (body: object) => server.call<ScheduleOutlook & Answer>('POST', '/api/schedules/preview', body)
const audited = async () =>
  (await server.call<{ items: AuditEvent[] }>('GET', '/api/audit?action=schedule.put')).body.items

/** A stage of its own. */
async function newStage(): Promise<string> {
  const stage = `stage-${++stages}`
  await server.call('PUT', `/api/skills/notes/stages/${stage}`, {})
  return stage
}
let stages = 0

test('what is not said is the default, and the zone that of the tenant', async () => {
  expect((await server.call('GET', pathOf('empty'))).status).toBe(404)
  const { status, body } = await put({ cron: '0 6 * * *' })
  expect([status, body]).toEqual([
    200,
    expect.objectContaining({
      enabled: true,
      cron: '0 6 * * *',
      zone: 'Asia/Calcutta',
      input: {},
      starts_at: null,
      ends_at: null,
      jitter_s: 0,
      overlap: 'skip',
      catch_up: 'latest',
      catch_up_window_s: 3600,
      tenant,
      revision: 1,
      last: null,
    }),
  ])
  // 6:00 in Kolkata.
  expect(body.next_at).toMatch(/T00:30:00\.000Z$/)
  expect(await get()).toEqual(body)
})

test('an input that is null stays so', async () => {
  const stage = await newStage()
  await put({ cron: '0 6 * * *', input: null }, stage)
  expect((await get(stage)).input).toBeNull()
})

test('a zone has one name, however it is spelt', async () => {
  const { body } = await put({ cron: '0 6 * * *', zone: 'eUROPE/bERLIN' }, await newStage())
  const tried = await preview({ cron: '0 6 * * *', zone: 'eUROPE/bERLIN' })
  expect([body.zone, tried.body.zone]).toEqual(['Europe/Berlin', 'Europe/Berlin'])
})

test('a put replaces everything; instants are written the same way everywhere; no input is audited', async () => {
  const stage = await newStage()
  await put({ cron: '0 6 * * *', jitter_s: 60, input: { secretly: 1 } }, stage)
  const { body } = await put(
    { cron: '30 7 * * *', zone: 'UTC', starts_at: '2090-01-01T00:00:00Z', ends_at: '2091-01-01T00:00:00Z', input: [2] },
    stage,
  )
  expect(body).toMatchObject({ revision: 2, jitter_s: 0, input: [2], next_at: '2090-01-01T07:30:00.000Z' })
  expect([body.starts_at, body.ends_at]).toEqual(['2090-01-01T00:00:00.000Z', '2091-01-01T00:00:00.000Z'])
  const [second, first] = await audited()
  expect([first!.detail['cron'], second!.detail['cron']]).toEqual(['0 6 * * *', '30 7 * * *'])
  expect(second!.before).toBe(first!.after)
  expect(JSON.stringify([first, second])).not.toMatch(/secretly|"input"/)
})

describe('changes at the same time', () => {
  test('one that expects another revision changes nothing', async () => {
    const stage = await newStage()
    expect((await put({ cron: '0 6 * * *', revision: 1 }, stage)).body.code).toBe('schedule_changed')
    await put({ cron: '0 6 * * *', revision: 0 }, stage)
    const second = await server.call<Answer & { revision: number }>('PUT', pathOf(stage), {
      cron: '1 6 * * *',
      revision: 0,
    })
    expect([second.status, second.body.code, second.body.revision]).toEqual([409, 'schedule_changed', 1])
    expect((await put({ cron: '2 6 * * *', revision: 1 }, stage)).body).toMatchObject({
      revision: 2,
      cron: '2 6 * * *',
    })
  })

  test('those that expect nothing all count, each on top of the other', async () => {
    const stage = await newStage()
    const crons = Array.from({ length: 6 }, (_, minute) => `${minute} 6 * * *`)
    const answers = await Promise.all(crons.map((cron) => put({ cron }, stage)))
    expect(answers.map(({ status }) => status)).toEqual(crons.map(() => 200))
    expect(new Set(answers.map(({ body }) => body.revision))).toEqual(new Set([1, 2, 3, 4, 5, 6]))
    const last = answers.find(({ body }) => body.revision === 6)!
    expect(await get(stage)).toEqual(last.body)
  })
})

test('paused it fires at no time, resumed from now on; nothing else changes', async () => {
  const stage = await newStage()
  const { body: before } = await put({ cron: '*/5 * * * *', jitter_s: 7, input: { deep: [1] } }, stage)
  const count = (await audited()).length
  const paused = (await post('pause', stage)).body
  expect(paused).toEqual({ ...before, enabled: false, next_at: null, revision: 2, updated_at: paused.updated_at })
  const { body: outlook } = await server.call<ScheduleOutlook>('GET', `${pathOf(stage)}/next`)
  expect(outlook).toMatchObject({ next: [], eventbridge: ['cron(0,5,10,15,20,25,30,35,40,45,50,55 * * * ? *)'] })
  expect((await post('pause', stage)).body).toEqual(paused)
  const resumed = (await post('resume', stage)).body
  expect(resumed).toMatchObject({ enabled: true, revision: 3, jitter_s: 7, input: { deep: [1] } })
  expect(Date.parse(resumed.next_at!)).toBeGreaterThan(Date.parse(resumed.updated_at))
  const rows = await audited()
  expect(rows.length).toBe(count + 2)
  expect(rows.slice(0, 2).map(({ detail }) => detail)).toEqual([{ enabled: true }, { enabled: false }])
})

test('one can be put while it is not to fire', async () => {
  const { body } = await put({ cron: '0 6 * * *', enabled: false }, await newStage())
  expect([body.enabled, body.next_at]).toEqual([false, null])
})

describe('when it fires next', () => {
  test('in UTC and on the clocks of its zone, across a change of them', async () => {
    const stage = await newStage()
    const timing = { cron: '30 2 * * *', zone: 'Europe/Berlin', starts_at: '2090-03-24T00:00:00Z' }
    await put(timing, stage)
    const { body } = await server.call<ScheduleOutlook>('GET', `${pathOf(stage)}/next?count=3`)
    const zone = 'Europe/Berlin'
    expect(body).toEqual({
      cron: '30 2 * * *',
      zone,
      next: [
        { utc: '2090-03-24T01:30:00.000Z', local: '2090-03-24T02:30:00+01:00', zone },
        { utc: '2090-03-25T01:30:00.000Z', local: '2090-03-25T02:30:00+01:00', zone },
        // On the 26th there is no 2:30.
        { utc: '2090-03-27T00:30:00.000Z', local: '2090-03-27T02:30:00+02:00', zone },
      ],
      eventbridge: ['cron(30 2 * * ? *)'],
    })
    expect((await preview({ ...timing, count: 3 })).body).toEqual(body)
  })

  test('at its very start, and not at its end', async () => {
    const timing = { zone: 'UTC', starts_at: '2090-01-01T06:00:00Z', ends_at: '2090-01-03T06:00:00Z' }
    const { body } = await preview({ cron: '0 6 * * *', ...timing })
    expect(body.next.map(({ utc }) => utc)).toEqual(['2090-01-01T06:00:00.000Z', '2090-01-02T06:00:00.000Z'])
  })

  test.each([
    ['Asia/Kolkata', '+05:30'],
    ['America/St_Johns', '-03:30'],
    ['UTC', '+00:00'],
    ['US/Eastern', '-05:00'],
  ])('in %s', async (zone, offset) => {
    const { body } = await preview({ cron: '0 6 * * *', zone, starts_at: '2090-01-01T00:00:00Z', count: 1 })
    expect(body.next.map(({ local }) => local.slice(10))).toEqual([`T06:00:00${offset}`])
  })

  test('a hundred times, however rare; in the zone of the tenant where none is named', async () => {
    const { body } = await preview({ cron: '0 0 29 2 *', count: 100 })
    expect([body.zone, body.next.length]).toEqual(['Asia/Calcutta', 100])
    expect(body.next.every(({ local }) => local.endsWith('-02-29T00:00:00+05:30'))).toBe(true)
    expect((await preview({ cron: '0 6 * * *' })).body.next).toHaveLength(5)
  })

  test('either day counts, and takes an expression of its own with EventBridge', async () => {
    const { body } = await preview({ cron: '0 6 13 * FRI' })
    expect(body.eventbridge).toEqual(['cron(0 6 13 * ? *)', 'cron(0 6 ? * 6 *)'])
  })
})

test('all of a tenant are listed without their inputs, to others what their grants cover', async () => {
  for (const stage of ['prod', await newStage(), await newStage()])
    await put({ cron: '0 6 * * *', input: { a: 1 } }, stage)
  const first = await server.call<{ items: ScheduleSummary[]; next: string }>('GET', '/api/schedules?limit=1')
  const path = `/api/schedules?limit=200&cursor=${first.body.next}`
  const rest = await server.call<{ items: ScheduleSummary[] }>('GET', path)
  const all = [...first.body.items, ...rest.body.items]
  expect(all.length).toBeGreaterThanOrEqual(3)
  expect(new Set(all.map(({ stage }) => stage)).size).toBe(all.length)
  expect(all.filter((one) => 'input' in one)).toEqual([])

  const developer = await server.call<{ id: string; key: string }>('POST', '/api/keys', {
    role: 'developer',
    name: 'dev',
  })
  const { id, key } = developer.body
  const seen = async () =>
    (await server.call<{ items: ScheduleSummary[] }>('GET', '/api/schedules', undefined, { key })).body.items
  expect(await seen()).toEqual([])
  await server.call('POST', '/api/grants', { principal: id, allowed_skills: ['notes'], stages: ['prod'] })
  const schedule = await get('prod')
  expect((await seen()).map(({ stage }) => stage)).toEqual([schedule.stage])
  const shown = await server.call<Schedule>('GET', pathOf('prod'), undefined, { key })
  expect(shown.body.input).toEqual({ a: 1 })
  const other = await server.call<{ items: [] }>('GET', '/api/schedules', undefined, {
    key: await server.strangerKey(),
  })
  expect(other.body.items).toEqual([])
})

test('what is deleted is gone, and says so in the audit log', async () => {
  const stage = await newStage()
  const { body } = await put({ cron: '0 6 * * *' }, stage)
  expect((await server.call('DELETE', pathOf(stage))).status).toBe(204)
  expect((await server.call('GET', pathOf(stage))).status).toBe(404)
  const { items } = (await server.call<{ items: AuditEvent[] }>('GET', '/api/audit?action=schedule.delete')).body
  expect(items[0]).toMatchObject({ target_kind: 'schedule', target: body.stage, after: null })
  expect((await put({ cron: '0 6 * * *' }, stage)).body.revision).toBe(1)
})
