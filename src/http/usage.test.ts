import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AuditEvent } from '../model/audit.ts'
import { periodsAt } from '../model/periods.ts'
import type { Quota, QuotaState, UsageRow, UsageTotals } from '../model/quotas.ts'
import type { Run } from '../model/runs.ts'
import { packageOf } from './fixtures/packages.ts'
import { finish } from './fixtures/played-worker.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'

type View = Quota & { states: QuotaState[] }
interface Report {
  from: string
  to: string
  zone: string
  items: UsageRow[]
  totals: UsageTotals
  code?: string
}

const INVOKE = '/api/skills/adder/stages/dev/invoke'
let server: TestServer
let tenant: string
beforeAll(async () => {
  server = await startTestServer()
  await server.deploy('adder', 'dev', packageOf('adder'))
  await server.deploy('other', 'dev', packageOf('other'))
  tenant = (await server.call<{ tenant: string }>('GET', '/api/whoami')).body.tenant
})
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})

const asOperator = <T>(method: string, path: string, body?: unknown) =>
  server.call<T>(method, path, body, { key: server.operatorKey })
const skillId = async (name: string) => (await server.call<{ id: string }>('GET', `/api/skills/${name}`)).body.id

/** Runs the skill as a worker would. */
async function run(skill = 'adder', billable_ms = 60_000): Promise<Run> {
  const { body } = await server.call<{ run_id: string }>('POST', `/api/skills/${skill}/stages/dev/invoke`, {
    input: { a: 1 },
  })
  for (const claim of await server.engine.runs.take('default', 10, 60_000)) {
    await finish(server.engine, claim, { billable_ms })
  }
  return (await server.call<Run>('GET', `/api/runs/${body.run_id}`)).body
}

test('without caps nothing is said of them', async () => {
  const { body } = await server.call<View>('GET', '/api/quota')
  expect(body).toEqual({ tenant, zone: 'UTC', ceiling: {}, caps: {}, skills: [], states: [] })
  const { headers } = await server.call('POST', INVOKE, { input: { a: 1 } })
  expect([headers.get('ratelimit'), headers.get('ratelimit-policy')]).toEqual([null, null])
  await run()
})

test('an owner caps the tenant and a skill, an operator sets the ceiling, and each answer tells what is left', async () => {
  const skill = await skillId('adder')
  const caps = { runs_per_month: 100, minutes_per_day: 50, concurrent_runs: null }
  const put = await server.call<View>('PUT', '/api/quota', { caps })
  expect(put.status).toBe(200)
  expect(put.body).toMatchObject({ caps: { runs_per_month: 100, minutes_per_day: 50 }, skills: [] })
  const capped = await server.call<View>('PUT', '/api/quota/skills/adder', { caps: { concurrent_runs: 4 } })
  expect(capped.body.skills).toEqual([{ skill, caps: { concurrent_runs: 4 } }])
  const ceiling = await asOperator<View>('PUT', `/api/tenants/${tenant}/quota`, { ceiling: { runs_per_month: 10 } })
  expect(ceiling.status).toBe(200)
  expect(ceiling.body.ceiling).toEqual({ runs_per_month: 10 })
  expect(Object.keys(ceiling.body)).toEqual(['tenant', 'zone', 'ceiling', 'states'])
  expect(ceiling.body.states.map((state) => state.skill)).toEqual([null])
  expect((await asOperator('GET', `/api/tenants/${tenant}/quota`)).body).toEqual(ceiling.body)

  const { body } = await server.call<View>('GET', '/api/quota')
  expect(body.states).toEqual([
    {
      skill: null,
      caps: [
        { cap: 'runs_per_month', limit: 10, used: 2, resets_at: expect.any(String) },
        { cap: 'minutes_per_day', limit: 50, used: 2, resets_at: expect.any(String) },
      ],
    },
    { skill, caps: [{ cap: 'concurrent_runs', limit: 4, used: 0, resets_at: null }] },
  ])
  for (const prefer of ['wait=0', '']) {
    const { headers } = await server.call('POST', INVOKE, { input: { a: 1 } }, { headers: { prefer } })
    expect(headers.get('ratelimit-policy')).toBe(
      '"runs-per-month";q=10;w=2678400, "minutes-per-day";q=50;qu="minutes";w=86400, "skill-concurrent-runs";q=4;qu="concurrent-requests"',
    )
    expect(headers.get('ratelimit')).toMatch(
      /^"runs-per-month";r=8;t=\d+, "minutes-per-day";r=48;t=\d+, "skill-concurrent-runs";r=4$/,
    )
  }
  const finished = await run()
  const replayed = await server.call('POST', `/api/runs/${finished.id}/replay`)
  expect(replayed.headers.get('ratelimit')).toContain('"runs-per-month";r=5;')
  await server.call('PUT', '/api/quota', { caps: {} })
  await server.call('PUT', '/api/quota/skills/adder', { caps: {} })
  await asOperator('PUT', `/api/tenants/${tenant}/quota`, { ceiling: {} })
  expect((await server.call('POST', INVOKE, { input: { a: 1 } })).headers.get('ratelimit')).toBeNull()
  await run()
})

test('a throttled run says why, and a caller that waits gets it as its answer', async () => {
  await server.call('PUT', '/api/quota', { caps: { runs_per_day: 0 } })
  const waiting = server.call<Run>('POST', INVOKE, { input: { a: 1 } }, { headers: { prefer: 'wait=60' } })
  for (;;) {
    await server.engine.runs.take('default', 1, 60_000)
    const { items } = await server.engine.runs.list(tenant, { limit: 1, status: 'throttled' })
    if (items.length === 1) break
  }
  const { status, headers, body } = await waiting
  expect([status, body.status, body.reason, body.billable_ms]).toEqual([200, 'throttled', null, null])
  expect(body.throttle).toEqual({
    cap: 'runs_per_day',
    skill: null,
    limit: 0,
    resets_at: new Date(periodsAt('UTC', Date.now()).dayEnds).toISOString(),
  })
  expect(headers.get('ratelimit')).toMatch(/^"runs-per-day";r=0;t=\d+$/)
  await server.call('PUT', '/api/quota', { caps: {} })
})

test('usage by day, skill and stage, with totals', async () => {
  await run('other', 1500)
  const today = periodsAt('UTC', Date.now()).day
  const byDay = (await server.call<Report>('GET', '/api/usage')).body
  expect(byDay).toMatchObject({ from: `${today.slice(0, 7)}-01`, to: today, zone: 'UTC' })
  expect(byDay.items).toHaveLength(1)
  expect(byDay.items[0]).toMatchObject({ day: today, skill: null, stage: null, throttled: 1 })
  const bySkill = (await server.call<Report>('GET', '/api/usage?group_by=skill')).body
  expect(bySkill.items.map(({ skill_name, day }) => [skill_name, day])).toEqual([
    ['adder', null],
    ['other', null],
  ])
  expect(bySkill.items[1]).toMatchObject({ runs: 1, succeeded: 1, billable_ms: 1500 })
  expect(bySkill.totals).toEqual(byDay.totals)
  expect(byDay.totals.runs).toBe(bySkill.items[0]!.runs + 1)
  const byStage = (await server.call<Report>('GET', '/api/usage?group_by=stage&skill=other&stage=dev')).body
  expect(byStage.items).toMatchObject([{ skill_name: 'other', stage_name: 'dev', runs: 1 }])
  const other = await server.call<Report>('GET', `/api/usage?skill=other&from=${today}&to=${today}`)
  expect(other.body.totals).toMatchObject({ runs: 1, billable_ms: 1500 })
  const past = await server.call<Report>('GET', '/api/usage?from=2025-01-01&to=2025-12-31')
  expect(past.body).toMatchObject({ items: [], totals: { runs: 0, peak_memory_bytes: 0 } })
})

test('what was used by a skill stays after it is deleted', async () => {
  const id = await skillId('other')
  await server.call('DELETE', '/api/skills/other')
  const { body } = await server.call<Report>('GET', `/api/usage?group_by=stage&skill=${id}`)
  expect(body.items).toMatchObject([{ skill: id, skill_name: 'other', stage_name: null, runs: 1 }])
})

test.each([
  ['/api/usage?from=2026-02-30', 400, 'bad_request'],
  ['/api/usage?from=2026-01-02&to=2026-01-01', 400, 'bad_request'],
  ['/api/usage?from=2020-01-01&to=2026-01-01', 400, 'bad_request'],
  ['/api/usage?group_by=month', 400, 'bad_request'],
  ['/api/usage?stage=dev', 400, 'bad_request'],
  ['/api/usage?skill=nobody', 404, 'not_found'],
  ['/api/usage?skill=adder&stage=nowhere', 404, 'not_found'],
])('GET %s is refused', async (path, status, code) => {
  const answer = await server.call<Report>('GET', path)
  expect([answer.status, answer.body.code]).toEqual([status, code])
})

test.each([
  [{ caps: { runs_per_day: -1 } }],
  [{ caps: { runs_per_day: 1.5 } }],
  [{ caps: { runs_per_day: 1e12 } }],
  [{ caps: { runs_per_day: '5' } }],
  [{ caps: { runs_per_year: 5 } }],
  [{ caps: 5 }],
  [{}],
])('caps such as %j are refused', async (body) => {
  const answer = await server.call<Report>('PUT', '/api/quota', body)
  expect([answer.status, answer.body.code]).toEqual([400, 'bad_request'])
})

test('caps of what is not there are refused', async () => {
  const caps = { runs_per_day: 1 }
  expect((await server.call('PUT', '/api/quota/skills/nobody', { caps })).status).toBe(404)
  expect((await asOperator('PUT', '/api/tenants/nobody/quota', { ceiling: caps })).status).toBe(404)
  expect((await asOperator('GET', '/api/tenants/nobody/quota')).status).toBe(404)
  expect((await server.call('PUT', `/api/tenants/${tenant}/quota`, { ceiling: caps })).status).toBe(403)
  const stranger = await server.strangerKey()
  expect((await server.call('PUT', '/api/quota/skills/adder', { caps }, { key: stranger })).status).toBe(404)
})

test('who changed caps is in the logs of both sides', async () => {
  await asOperator('PUT', `/api/tenants/${tenant}/quota`, { ceiling: { runs_per_day: 500 } })
  const events = await server.engine.audit.list(tenant, { limit: 1, action: 'quota.update' })
  const [event] = events.items as [AuditEvent]
  expect(event).toMatchObject({
    target_kind: 'tenant',
    target: tenant,
    detail: { scope: 'ceiling', caps: { runs_per_day: 500 } },
  })
  expect(event.before).not.toBe(event.after)
})
