import { expect, test } from 'vitest'
import { newId } from '../../model/ids.ts'
import type { Caps } from '../../model/quotas.ts'
import type { Engine } from '../ports.ts'
import { LONG, OVER, SUCCEEDED, admit, newNote, settle } from './engine-fixtures.ts'
import { cap, statuses, storm, usedOf } from './quota-fixtures.ts'

/** Rounds of the storm. Each kind of cap has its turn many times. A thousand take four minutes: SKILLET_QUOTA_ROUNDS=1000. */
const ROUNDS = Number(process.env['SKILLET_QUOTA_ROUNDS'] ?? 12)

export function quotaContract(engine: () => Engine): void {
  test(
    `400 runs at once against a cap of 50: exactly 50 are begun, ${ROUNDS} times`,
    { timeout: ROUNDS * 50_000 },
    async () => {
      const place = await settle(engine())
      for (let round = 0; round < ROUNDS; round++) {
        const tenant = newId('tenant')
        // Each kind of cap in its turn, of the tenant and of the skill.
        const caps: Caps = [{ runs_per_day: 50 }, { runs_per_month: 50 }, { concurrent_runs: 50 }][round % 3]!
        const skill = round % 2 === 1 ? place.skill.id : undefined
        if (skill === undefined) await cap(engine(), tenant, caps)
        else await cap(engine(), tenant, { runs_per_day: 60 })
        const inTenant = skill === undefined ? { ...place, tenant } : await settle(engine(), tenant)
        if (skill !== undefined) await cap(engine(), tenant, caps, { kind: 'skill', skill: inTenant.skill.id })
        const taken = await storm(engine(), inTenant, { runs: 400, takers: 10 })
        expect(new Set(taken.map(({ run }) => run.id)).size, `round ${round}`).toBe(50)
        expect(taken).toHaveLength(50)
        expect(await statuses(engine(), tenant)).toEqual({ running: 50, throttled: 350 })
        expect(Object.values(await usedOf(engine(), tenant)).every((used) => used === 50)).toBe(true)
      }
    },
  )

  test('a run over a cap is throttled: it says which cap and when it resets, and nothing is billed', async () => {
    const { runs, quotas } = engine()
    const place = await settle(engine())
    await cap(engine(), place.tenant, { runs_per_day: 1 })
    await admit(runs, place)
    const id = await admit(runs, place)
    expect(await runs.take('default', 10, LONG)).toHaveLength(1)
    const run = await runs.find(place.tenant, id)
    const [state] = await quotas.quotaStates(place.tenant)
    const resets_at = state!.caps[0]!.resets_at!
    expect(Date.parse(resets_at)).toBeGreaterThan(Date.now())
    expect(run).toMatchObject({
      status: 'throttled',
      reason: null,
      error: {
        type: 'Throttled',
        message: expect.stringMatching(/cap of 1 runs per day of the tenant .*1 of 1 used.*resets at/),
      },
      throttle: { cap: 'runs_per_day', skill: null, limit: 1, resets_at },
      attempt: 0,
      billable_ms: null,
      execution_ms: null,
      started_at: null,
      finished_at: expect.any(String),
    })
    const events = await runs.events(place.tenant, id, 0, 10)
    expect(events.map(({ type }) => type)).toEqual(['status', 'result'])
    expect(events[1]!.data).toMatchObject({ status: 'throttled', throttle: run!.throttle, billable_ms: null })
    expect(await runs.take('default', 10, LONG)).toEqual([])
    expect(await runs.cancel(place.tenant, id, newNote(place.tenant, 'run.cancel', id))).toEqual(run)
    expect(await usedOf(engine(), place.tenant)).toEqual({ runs_per_day: 1 })
  })

  test('of several caps the one is told that holds longest', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const all = { concurrent_runs: 0, runs_per_day: 0, runs_per_month: 0 }
    await cap(engine(), place.tenant, all)
    const id = await admit(runs, place)
    expect(await runs.take('default', 1, LONG)).toEqual([])
    expect((await runs.find(place.tenant, id))!.throttle).toMatchObject({ cap: 'runs_per_month', limit: 0 })
  })

  test('what is over a cap holds up nobody behind it', async () => {
    const { runs } = engine()
    const [greedy, modest] = [await settle(engine()), await settle(engine())]
    await cap(engine(), greedy.tenant, { runs_per_day: 0 })
    await Promise.all(Array.from({ length: 60 }, () => admit(runs, greedy)))
    const id = await admit(runs, modest)
    expect((await runs.take('default', 1, LONG)).map(({ run }) => run.id)).toEqual([id])
  })

  test('a place is free again when a run ends, however it does', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    await cap(engine(), place.tenant, { concurrent_runs: 2 })
    for (let i = 0; i < 3; i++) await admit(runs, place)
    const [first, second] = await runs.take('default', 3, LONG)
    expect(await statuses(engine(), place.tenant)).toEqual({ running: 2, throttled: 1 })
    await runs.finish(first!.run.id, first!.token, SUCCEEDED)
    await runs.finish(second!.run.id, second!.token, { ...SUCCEEDED, status: 'cancelled', output: null })
    expect(await usedOf(engine(), place.tenant)).toEqual({ concurrent_runs: 0 })
    for (let i = 0; i < 3; i++) await admit(runs, place)
    expect(await runs.take('default', 3, LONG)).toHaveLength(2)
    expect(await usedOf(engine(), place.tenant)).toEqual({ concurrent_runs: 2 })
  })

  test('a run that is handed back keeps its place, and is never refused what it was given', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    await cap(engine(), place.tenant, { concurrent_runs: 1, runs_per_day: 2 })
    const id = await admit(runs, place)
    const [claim] = await runs.take('default', 1, LONG)
    await runs.release(id, claim!.token)
    expect(await usedOf(engine(), place.tenant)).toEqual({ concurrent_runs: 1, runs_per_day: 1 })
    await cap(engine(), place.tenant, { concurrent_runs: 1, runs_per_day: 0 })
    await admit(runs, place)
    expect((await runs.take('default', 5, LONG)).map(({ run }) => run.id)).toEqual([id])
    expect(await statuses(engine(), place.tenant)).toEqual({ running: 1, throttled: 1 })
  })

  test('a run is counted once however often it is begun, and its minutes once however often it is finished', async () => {
    const { runs, quotas } = engine()
    const place = await settle(engine())
    await cap(engine(), place.tenant, { runs_per_day: 9, runs_per_month: 9, minutes_per_day: 9, minutes_per_month: 9 })
    const id = await admit(runs, place)
    const [lost] = await runs.take('default', 1, OVER)
    const [handedBack] = await runs.take('default', 1, LONG)
    await runs.release(id, handedBack!.token)
    await runs.take('default', 1, LONG)
    expect(await runs.recover()).toBe(1)
    const [last] = await runs.take('default', 1, LONG)
    const ending = { ...SUCCEEDED, billable_ms: 90_000 }
    const ends = await Promise.all(
      [lost!, handedBack!, last!, last!].map(({ token }) => runs.finish(id, token, ending)),
    )
    expect(ends.filter((end) => end !== null)).toHaveLength(1)
    const once = { runs_per_day: 1, runs_per_month: 1, minutes_per_day: 1.5, minutes_per_month: 1.5 }
    expect(await usedOf(engine(), place.tenant)).toEqual(once)
    const rows = await quotas.usage(place.tenant, { from: '2000-01-01', to: '2999-12-31', groupBy: 'day' })
    expect(rows).toEqual([expect.objectContaining({ runs: 1, succeeded: 1, billable_ms: 90_000 })])
  })

  test('a run under way may pass a cap on minutes, the next one is throttled', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    await cap(engine(), place.tenant, { minutes_per_day: 1 })
    for (let i = 0; i < 2; i++) await admit(runs, place)
    const claims = await runs.take('default', 2, LONG)
    for (const { run, token } of claims) await runs.finish(run.id, token, { ...SUCCEEDED, billable_ms: 59_999 })
    expect(await usedOf(engine(), place.tenant)).toEqual({ minutes_per_day: 2 })
    const id = await admit(runs, place)
    expect(await runs.take('default', 1, LONG)).toEqual([])
    expect(await runs.find(place.tenant, id)).toMatchObject({
      throttle: { cap: 'minutes_per_day', limit: 1 },
      error: { message: expect.stringContaining('2.00 of 1 used') },
    })
  })
}
