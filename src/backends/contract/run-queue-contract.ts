import { expect, test } from 'vitest'
import { newId } from '../../model/ids.ts'
import { LIMITS } from '../../model/sizes.ts'
import type { Engine } from '../ports.ts'
import type { Claim } from '../run-ports.ts'
import { NOTE, LONG, OVER, SUCCEEDED, admit, newRun, settle } from './engine-fixtures.ts'

export function runQueueContract(engine: () => Engine): void {
  test('an admitted run is queued, and taken as it was asked for', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const run = newRun(place, { replay_of: newId('run') })
    expect(await runs.admit(run, 'default', NOTE)).toEqual({ outcome: 'admitted', run, taken: [] })
    expect(await runs.find(place.tenant, run.id)).toEqual(run)
    expect(await runs.take('long', 10, LONG)).toEqual([])
    const [claim, ...more] = await runs.take('default', 10, LONG)
    expect(more).toEqual([])
    expect(claim!.run).toEqual({
      ...run,
      status: 'running',
      attempt: 1,
      started_at: expect.any(String),
      queue_ms: expect.any(Number),
    })
    expect(await runs.find(place.tenant, run.id)).toEqual(claim!.run)
    expect(await runs.take('default', 10, LONG)).toEqual([])
  })

  test.each([
    ['queued', undefined],
    ['begun', { leaseMs: LONG }],
  ])('a run of a stage that was deleted meanwhile is not %s', async (_, take) => {
    const { runs, skills } = engine()
    const place = await settle(engine())
    const run = newRun(place)
    const idempotency = { key: 'k', fingerprint: 'f', expires_at: '2999-01-01T00:00:00.000Z' }
    // In one go: who asks found the stage before it was deleted.
    const [, admission] = await Promise.allSettled([
      skills.deleteStage(place.tenant, place.stage.id, NOTE),
      runs.admit(run, 'default', NOTE, { take, idempotency }),
    ])
    expect(admission).toMatchObject({ status: 'rejected', reason: { code: 'not_found' } })
    expect(await runs.find(place.tenant, run.id)).toBeNull()
    expect(await runs.take('default', 1, LONG)).toEqual([])
  })

  test('the first to come is the first to go', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const ids: string[] = []
    for (let i = 0; i < 10; i++) ids.push(await admit(runs, place))
    const taken = [...(await runs.take('default', 3, LONG)), ...(await runs.take('default', 100, LONG))]
    expect(taken.map(({ run }) => run.id)).toEqual(ids)
  })

  test('a hundred takers at once never get one run twice, and get them all', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const ids = await Promise.all(Array.from({ length: 150 }, () => admit(runs, place)))
    const takes = await Promise.all(Array.from({ length: 100 }, (_, i) => runs.take('default', (i % 3) + 1, LONG)))
    const taken = takes.flat().map(({ run }) => run.id)
    expect(taken.sort()).toEqual(ids.sort())
  })

  test('a lease that ran out passes to another, and its first holder can write nothing more', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const id = await admit(runs, place)
    const [first] = await runs.take('default', 1, OVER)
    const [second] = await runs.take('default', 1, LONG)
    expect(second!.run).toMatchObject({
      id,
      attempt: 2,
      started_at: first!.run.started_at,
      queue_ms: first!.run.queue_ms,
    })
    expect(second!.token).not.toBe(first!.token)
    const before = await runs.events(place.tenant, id, 0, 100)
    expect(await runs.heartbeat([{ run: id, token: first!.token }], LONG)).toEqual(['lost'])
    expect(await runs.appendLogs(id, first!.token, LINES)).toBe(false)
    expect(await runs.release(id, first!.token)).toBe(false)
    expect(await runs.finish(id, first!.token, { ...SUCCEEDED, logs: LINES })).toBeNull()
    expect(await runs.events(place.tenant, id, 0, 100)).toEqual(before)
    expect(await runs.finish(id, second!.token, SUCCEEDED)).toMatchObject({ status: 'succeeded', attempt: 2 })
  })

  test('a lease that ran out and was not taken over is still good', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const id = await admit(runs, place)
    const [claim] = await runs.take('default', 1, OVER)
    expect(await runs.heartbeat([{ run: id, token: claim!.token }], LONG)).toEqual(['held'])
    expect(await runs.take('default', 1, LONG)).toEqual([])
  })

  test('a run whose workers are lost again and again fails in the end', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const id = await admit(runs, place)
    for (let i = 1; i <= LIMITS.attempts; i++) {
      expect((await runs.take('default', 1, OVER)).map(({ run }) => run.attempt)).toEqual([i])
    }
    expect(await runs.take('default', 1, OVER)).toEqual([])
    expect(await runs.find(place.tenant, id)).toMatchObject({
      status: 'failed',
      reason: 'worker_lost',
      error: { type: 'WorkerLost', message: expect.stringContaining(String(LIMITS.attempts)) },
      attempt: LIMITS.attempts,
      finished_at: expect.any(String),
    })
    expect((await runs.events(place.tenant, id, 0, 100)).at(-1)).toMatchObject({ type: 'result' })
    expect(await runs.nextVisible('default')).toBeNull()
  })

  test('heartbeats answer for each lease', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    for (let i = 0; i < 3; i++) await admit(runs, place)
    const claims = await runs.take('default', 3, OVER)
    await runs.finish(claims[0]!.run.id, claims[0]!.token, SUCCEEDED)
    await runs.cancel(place.tenant, claims[1]!.run.id, NOTE)
    const held = claims.map(({ run, token }) => ({ run: run.id, token }))
    expect(await runs.heartbeat(held, LONG)).toEqual(['lost', 'cancel', 'held'])
    expect(await runs.heartbeat([], LONG)).toEqual([])
    expect(await runs.take('default', 3, LONG)).toEqual([])
  })

  test('a released run is as it was before, first in the line, and its holder has lost it', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const id = await admit(runs, place)
    const [claim] = await runs.take('default', 1, LONG)
    await admit(runs, place)
    expect(await runs.release(id, claim!.token)).toBe(true)
    expect(await runs.release(id, claim!.token)).toBe(false)
    expect(await runs.finish(id, claim!.token, SUCCEEDED)).toBeNull()
    expect(await runs.find(place.tenant, id)).toMatchObject({
      status: 'queued',
      attempt: 0,
      started_at: null,
      queue_ms: null,
    })
    const [again] = await runs.take('default', 1, LONG)
    expect(again!.run).toMatchObject({ id, attempt: 1 })
    expect(await runs.finish(id, claim!.token, SUCCEEDED)).toBeNull()
    expect(await runs.finish(id, again!.token, SUCCEEDED)).not.toBeNull()
  })

  test('recovering ends every lease, and only leases', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    for (let i = 0; i < 3; i++) await admit(runs, place)
    const before = await runs.take('default', 2, LONG)
    expect(await runs.recover()).toBe(2)
    const [held] = before
    expect(await runs.finish(held!.run.id, held!.token, SUCCEEDED)).toBeNull()
    const after = await runs.take('default', 10, LONG)
    expect(attempts(after).slice(0, 2)).toEqual(before.map(({ run }) => [run.id, 2]))
    expect(after).toHaveLength(3)
  })

  test('says when an entry becomes visible, and tells that one did', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const woken: string[] = []
    const unwatch = runs.watchQueue((queue) => woken.push(queue))
    expect(await runs.nextVisible('long')).toBeNull()
    await runs.admit(newRun(place), 'long', NOTE)
    expect(woken).toEqual(['long'])
    expect(await runs.nextVisible('long')).toBeLessThanOrEqual(Date.now())
    const [claim] = await runs.take('long', 1, LONG)
    expect(await runs.nextVisible('long')).toBeGreaterThan(Date.now())
    await runs.release(claim!.run.id, claim!.token)
    expect(woken).toEqual(['long', 'long'])
    unwatch()
    await runs.admit(newRun(place), 'default', NOTE)
    expect(woken).toHaveLength(2)
  })
}

const LINES = [{ at: '2026-11-21T08:00:00.000Z', stream: 'stdout', text: 'late' } as const]

const attempts = (claims: Claim[]): [string, number][] => claims.map(({ run }) => [run.id, run.attempt])
