import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Run } from '../model/runs.ts'
import { packageOf } from './fixtures/packages.ts'
import { finish, take } from './fixtures/played-worker.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'

interface Accepted {
  run_id: string
  status: string
  code?: string
  errors?: { pointer: string }[]
}

const INVOKE = '/api/skills/adder/stages/dev/invoke'
let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ heartbeatMs: 20 })
  await server.deploy('adder', 'dev', packageOf('adder'))
})
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})

async function begin(headers: Record<string, string> = {}): Promise<string> {
  const { status, body } = await server.call<Accepted>('POST', INVOKE, { input: { a: 1 } }, { headers })
  expect(status).toBe(202)
  return body.run_id
}

const sendWithKey = (key: string, input: object) =>
  server.call<Accepted>('POST', INVOKE, { input }, { headers: { 'idempotency-key': key } })

describe('invoking', () => {
  test('answers at once with where to look', async () => {
    const { status, headers, body } = await server.call<Accepted>('POST', INVOKE, { input: { a: 1 } })
    expect([status, body.status]).toEqual([202, 'queued'])
    expect(headers.get('location')).toBe(`/api/runs/${body.run_id}`)
    const run = await server.call<Run>('GET', headers.get('location')!)
    expect(run.body).toMatchObject({ id: body.run_id, status: 'queued', input: { a: 1 }, output: null })
  })

  test('waits as long as it is asked to', async () => {
    const late = await server.call<Accepted>('POST', INVOKE, { input: { a: 1 } }, { headers: { prefer: 'wait=0' } })
    expect([late.status, late.headers.get('preference-applied')]).toEqual([202, 'wait=0'])
    const waiting = server.call<Run>('POST', INVOKE, { input: { a: 5 } }, { headers: { prefer: 'wait=60' } })
    for (;;) {
      const [claim] = await server.engine.runs.take('default', 1, 60_000)
      if (claim === undefined) continue
      await finish(server.engine, claim)
      if ((claim.run.input as { a: number }).a === 5) break
    }
    const { status, headers, body } = await waiting
    expect([status, headers.get('preference-applied')]).toEqual([200, 'wait=60'])
    expect(body).toMatchObject({ status: 'succeeded', output: { sum: 3 } })
  })

  test('wrong input is refused with its places', async () => {
    const { status, body } = await server.call<Accepted>('POST', INVOKE, { input: { a: 'one' } })
    expect([status, body.code, body.errors?.map(({ pointer }) => pointer)]).toEqual([400, 'input_invalid', ['/a']])
    expect((await server.call<Accepted>('POST', INVOKE, {})).body.code).toBe('input_invalid')
    const large = { a: 1, text: 'x'.repeat(6 * 2 ** 20) }
    expect(await server.call('POST', INVOKE, { input: large })).toMatchObject({
      status: 413,
      body: { code: 'input_too_large' },
    })
  })

  test('a key makes repeats the same run, quoted or bare', async () => {
    const first = await sendWithKey('order-1', { a: 1, b: 2 })
    expect(first.headers.get('idempotent-replayed')).toBeNull()
    const again = await sendWithKey('"order-1"', { b: 2, a: 1 })
    expect([again.status, again.body.run_id]).toEqual([202, first.body.run_id])
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect(await sendWithKey('order-1', { a: 2 })).toMatchObject({
      status: 422,
      body: { code: 'idempotency_mismatch' },
    })
  })
})

describe('listing', () => {
  test('filters by skill, stage and status, in pages, without payloads', async () => {
    const deployed = await server.deploy('listed', 'dev', packageOf('listed'))
    const invoke = (stage: string) =>
      server.call<Accepted>('POST', `/api/skills/listed/stages/${stage}/invoke`, { input: { a: 1 } })
    await server.call('POST', '/api/skills/listed/stages/dev/promote', { to: 'prod' })
    const dev = [(await invoke('dev')).body.run_id, (await invoke('dev')).body.run_id]
    const prod = (await invoke('prod')).body.run_id
    await server.call('POST', `/api/runs/${dev[0]}/cancel`)
    const ids = async (query: string): Promise<string[]> => {
      const { body } = await server.call<{ items: Run[]; next: string | null }>('GET', `/api/runs?${query}`)
      for (const run of body.items) expect(Object.keys(run)).not.toContain('input')
      return body.items.map(({ id }) => id)
    }
    expect(await ids('skill=listed')).toEqual([prod, dev[1], dev[0]])
    expect(await ids(`skill=${deployed.skill}&stage=dev`)).toEqual([dev[1], dev[0]])
    expect(await ids(`stage=${deployed.stage}`)).toEqual([dev[1], dev[0]])
    expect(await ids('skill=listed&status=cancelled')).toEqual([dev[0]])
    const page = await server.call<{ items: Run[]; next: string }>('GET', '/api/runs?skill=listed&limit=2')
    expect(await ids(`skill=listed&limit=2&cursor=${encodeURIComponent(page.body.next)}`)).toEqual([dev[0]])
    for (const [query, status] of [
      ['stage=dev', 400],
      ['skill=nowhere', 404],
      ['status=odd', 400],
    ] as const) {
      expect((await server.call('GET', `/api/runs?${query}`)).status).toBe(status)
    }
  })
})

describe('cancelling and replaying', () => {
  test('a queued run ends at once, a running one is asked to', async () => {
    const queued = await begin()
    const cancelled = await server.call<Run>('POST', `/api/runs/${queued}/cancel`)
    expect(cancelled.body).toMatchObject({ status: 'cancelled', started_at: null })
    const running = await begin()
    const claim = await take(server.engine, running)
    expect((await server.call<Run>('POST', `/api/runs/${running}/cancel`)).body).toMatchObject({
      status: 'running',
      cancel_requested: true,
    })
    await finish(server.engine, claim, { status: 'cancelled', output: null })
    expect((await server.call<Run>('POST', `/api/runs/${running}/cancel`)).body.status).toBe('cancelled')
  })

  test('a finished run can be run again, another one not yet', async () => {
    const id = await begin()
    expect((await server.call<Accepted>('POST', `/api/runs/${id}/replay`)).body.code).toBe('not_replayable')
    await finish(server.engine, await take(server.engine, id))
    const { status, body } = await server.call<Accepted>('POST', `/api/runs/${id}/replay`)
    expect(status).toBe(202)
    expect((await server.call<Run>('GET', `/api/runs/${body.run_id}`)).body).toMatchObject({
      replay_of: id,
      input: { a: 1 },
      status: 'queued',
    })
  })

  test('a run of a stage that was deleted cannot be run again', async () => {
    await server.deploy('adder', 'brief', packageOf('adder'))
    const invoked = await server.call<Accepted>('POST', '/api/skills/adder/stages/brief/invoke', { input: { a: 1 } })
    const id = invoked.body.run_id
    await finish(server.engine, await take(server.engine, id))
    expect((await server.call('DELETE', '/api/skills/adder/stages/brief')).status).toBe(204)
    const { status, body } = await server.call<Accepted>('POST', `/api/runs/${id}/replay`)
    expect([status, body.code]).toEqual([409, 'not_replayable'])
  })
})
