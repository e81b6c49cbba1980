import { afterEach, expect, test, vi } from 'vitest'
import type { Caps } from '../../model/quotas.ts'
import type { Engine } from '../ports.ts'
import type { Ending } from '../run-ports.ts'
import { LONG, type Place, SUCCEEDED, admit, newNote, newTenant, settle } from './engine-fixtures.ts'
import { cap, statuses, usedOf } from './quota-fixtures.ts'

/** How counters follow the calendar, and what they tell. */
export function quotaPeriodsContract(engine: () => Engine): void {
  afterEach(() => vi.useRealTimers())

  async function settled(zone: string, caps: Caps): Promise<Place> {
    const { tenant, key, hash } = newTenant({ zone })
    await engine().access.createTenant(tenant, key, hash, null)
    await cap(engine(), tenant.id, caps)
    return settle(engine(), tenant.id)
  }

  async function run(place: Place, ending: Partial<Ending> = {}): Promise<string> {
    const id = await admit(engine().runs, place)
    for (const claim of await engine().runs.take('default', 1, LONG)) {
      await engine().runs.finish(claim.run.id, claim.token, { ...SUCCEEDED, ...ending })
    }
    return id
  }

  test("days and months begin anew in the tenant's zone", async () => {
    itIs('2026-11-29T22:59:00Z')
    const place = await settled('Europe/Berlin', { runs_per_day: 1, runs_per_month: 3, minutes_per_month: 100 })
    await run(place, { billable_ms: 60_000 })
    const over = await run(place)
    expect((await engine().runs.find(place.tenant, over))!.throttle).toEqual({
      cap: 'runs_per_day',
      skill: null,
      limit: 1,
      resets_at: '2026-11-29T23:00:00.000Z',
    })
    itIs('2026-11-29T23:00:00Z')
    expect(await usedOf(engine(), place.tenant)).toEqual({ runs_per_day: 0, runs_per_month: 1, minutes_per_month: 1 })
    await run(place, { billable_ms: 60_000 })
    expect(await usedOf(engine(), place.tenant)).toEqual({ runs_per_day: 1, runs_per_month: 2, minutes_per_month: 2 })
    itIs('2026-11-30T23:00:00Z')
    expect(await usedOf(engine(), place.tenant)).toEqual({ runs_per_day: 0, runs_per_month: 0, minutes_per_month: 0 })
    await run(place, { billable_ms: 30_000 })
    expect(await usedOf(engine(), place.tenant)).toEqual({ runs_per_day: 1, runs_per_month: 1, minutes_per_month: 0.5 })
  })

  test('a clock that jumps back counts on where it was, and forgets nothing', async () => {
    itIs('2026-12-01T00:30:00Z')
    const place = await settled('UTC', { runs_per_day: 3, runs_per_month: 10 })
    await run(place)
    itIs('2026-11-30T23:30:00Z')
    await run(place)
    expect(await usedOf(engine(), place.tenant)).toEqual({ runs_per_day: 2, runs_per_month: 2 })
    const [state] = await engine().quotas.quotaStates(place.tenant)
    expect(state!.caps.map(({ resets_at }) => resets_at)).toEqual([
      '2026-12-02T00:00:00.000Z',
      '2027-01-01T00:00:00.000Z',
    ])
    await run(place)
    const over = await run(place)
    expect((await engine().runs.find(place.tenant, over))!.throttle).toMatchObject({
      limit: 3,
      resets_at: '2026-12-02T00:00:00.000Z',
    })
    itIs('2026-12-01T00:31:00Z')
    expect(await usedOf(engine(), place.tenant)).toEqual({ runs_per_day: 3, runs_per_month: 3 })
  })

  test('a run is billed on the day on which it ends', async () => {
    itIs('2026-11-21T23:59:00Z')
    const place = await settled('UTC', { runs_per_day: 9, minutes_per_day: 9 })
    const id = await admit(engine().runs, place)
    const [claim] = await engine().runs.take('default', 1, LONG)
    itIs('2026-11-22T00:01:00Z')
    await engine().runs.finish(id, claim!.token, { ...SUCCEEDED, billable_ms: 120_000 })
    expect(await usedOf(engine(), place.tenant)).toEqual({ runs_per_day: 0, minutes_per_day: 2 })
    const rows = await engine().quotas.usage(place.tenant, { from: '2026-11-01', to: '2026-11-30', groupBy: 'day' })
    expect(rows.map(({ day, runs, billable_ms }) => [day, runs, billable_ms])).toEqual([['2026-11-22', 1, 120_000]])
  })

  test('usage is summed up by day, skill and stage; what never began is none', async () => {
    itIs('2026-11-21T12:00:00Z')
    const place = await settled('UTC', {})
    const other = await settle(engine(), place.tenant, 'other')
    await run(place, { billable_ms: 100, usage: usage(10.4, 500) })
    await run(place, { status: 'failed', output: null, billable_ms: 50, usage: usage(5, 900) })
    await run(place, { billable_ms: null, usage: null })
    itIs('2026-11-22T12:00:00Z')
    await run(other, { status: 'cancelled', output: null, billable_ms: 7, usage: usage(null, 100) })
    const never = await admit(engine().runs, other)
    await engine().runs.cancel(place.tenant, never, newNote(place.tenant, 'run.cancel', never))
    await cap(engine(), place.tenant, { runs_per_day: 0 })
    await run(other)
    const totals = {
      runs: 3,
      succeeded: 2,
      failed: 1,
      cancelled: 0,
      throttled: 0,
      billable_ms: 150,
      cpu_ms: 15,
      peak_memory_bytes: 900,
    }
    const others = {
      runs: 1,
      succeeded: 0,
      failed: 0,
      cancelled: 1,
      throttled: 1,
      billable_ms: 7,
      cpu_ms: 0,
      peak_memory_bytes: 100,
    }
    const nothing = { skill: null, skill_name: null, stage: null, stage_name: null }
    const span = { from: '2026-11-21', to: '2026-11-22' }
    const sum = (filter: object, groupBy: 'day' | 'skill' | 'stage') =>
      engine().quotas.usage(place.tenant, { ...span, ...filter, groupBy })
    expect(await sum({}, 'day')).toEqual([
      { day: '2026-11-21', ...nothing, ...totals },
      { day: '2026-11-22', ...nothing, ...others },
    ])
    expect(await sum({ to: '2026-11-21' }, 'day')).toHaveLength(1)
    expect(await sum({ from: '2026-11-22' }, 'day')).toHaveLength(1)
    const rows = await sum({}, 'stage')
    expect(rows).toHaveLength(2)
    const notes = { skill: place.skill.id, skill_name: 'notes', stage: place.stage.id, stage_name: 'prod' }
    expect(rows).toContainEqual({ day: null, ...notes, ...totals })
    expect(await sum({ skill: place.skill.id }, 'skill')).toEqual([
      { day: null, ...notes, stage: null, stage_name: null, ...totals },
    ])
    expect(await sum({ stage: other.stage.id }, 'day')).toEqual([{ day: '2026-11-22', ...nothing, ...others }])
    expect(await engine().quotas.usage(newTenant().tenant.id, { ...span, groupBy: 'day' })).toEqual([])
  })

  test('four fifths of a cap are told of once, and again when the period or the cap is another', async () => {
    itIs('2026-11-21T12:00:00Z')
    const place = await settled('UTC', { runs_per_day: 5, minutes_per_month: 10, concurrent_runs: 1 })
    const told = async () => {
      const { items } = await engine().audit.list(place.tenant, { limit: 50, action: 'quota.soft_limit' })
      return items.map(({ detail, actor_kind, target }) => [
        detail['cap'],
        detail['used'],
        detail['limit'],
        actor_kind,
        target,
      ])
    }
    for (let i = 0; i < 3; i++) await run(place, { billable_ms: 1 })
    expect(await told()).toEqual([])
    await run(place, { billable_ms: 1 })
    const first = ['runs_per_day', 4, 5, 'system', place.tenant]
    expect(await told()).toEqual([first])
    await run(place, { billable_ms: 1 })
    await run(place, { billable_ms: 1 })
    expect(await statuses(engine(), place.tenant)).toEqual({ succeeded: 5, throttled: 1 })
    expect(await told()).toEqual([first])
    itIs('2026-11-22T12:00:00Z')
    await run(place, { billable_ms: 8 * 60_000 })
    expect((await told())[0]!.slice(0, 1)).toEqual(['minutes_per_month'])
    for (let i = 0; i < 4; i++) await run(place, { billable_ms: 1 })
    expect(await told()).toHaveLength(3)
    await cap(engine(), place.tenant, { runs_per_day: 6 })
    await run(place, { billable_ms: 1 })
    expect((await told())[0]).toEqual(['runs_per_day', 6, 6, 'system', place.tenant])
  })
}

/** Only the clock: timers go on as they do. */
const itIs = (instant: string) => vi.useFakeTimers({ now: new Date(instant), toFake: ['Date'] })

const usage = (cpu_ms: number | null, peak_memory_bytes: number) =>
  ({ wall_ms: 1, cpu_ms, peak_memory_bytes, limits: 'hard' }) as const
