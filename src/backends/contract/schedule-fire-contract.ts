import { expect, test } from 'vitest'
import { now } from '../../model/json.ts'
import type { Engine } from '../ports.ts'
import { LONG, newNote, settle } from './engine-fixtures.ts'
import { MINUTE, T0, fireOne, firesOf, nextAt, orderOf, planned, putSchedule } from './schedule-fixtures.ts'
import { hookedPlace, put } from './webhook-fixtures.ts'

/** An instant of a schedule, what became of it, its run, and what comes next: written down at once. */
export function scheduleFireContract(engine: () => Engine): void {
  test('a fire is a queued run, is recorded, and the schedule goes on', async () => {
    const place = await settle(engine())
    await putSchedule(engine(), place)
    const woken: string[] = []
    const end = engine().runs.watchQueue((queue) => woken.push(queue))
    const order = orderOf(place, T0)
    expect(await fireOne(engine(), order)).toEqual({ outcome: 'started', run: order.begin!.run.id, stopping: [] })
    end()
    expect(woken).toEqual(['default'])
    expect(await engine().schedules.findSchedule(place.tenant, place.stage.id)).toMatchObject({
      next_at: now(T0 + MINUTE),
      revision: 1,
      last: { scheduled_for: now(T0), outcome: 'started', run: order.begin!.run.id, missed_until: null },
    })
    const [claim] = await engine().runs.take('default', 10, LONG)
    expect(claim!.run).toMatchObject({
      ...order.begin!.run,
      status: 'running',
      attempt: 1,
      started_at: expect.any(String),
      queue_ms: expect.any(Number),
    })
  })

  test('a schedule that changed since it was read is left alone', async () => {
    const place = await settle(engine())
    const { tenant, stage } = place
    await putSchedule(engine(), place)
    const stale = [
      orderOf(place, T0, { revision: 2 }),
      orderOf(place, T0, { expected: nextAt(T0 - MINUTE) }),
      orderOf(place, T0, { expected: { instant: T0, due: T0 + 1 } }),
      orderOf(place, T0, { tenant: 'ten_other' }),
    ]
    const nothing = { outcome: 'stale', run: null, stopping: [] }
    expect(await engine().schedules.fire(stale)).toEqual(stale.map(() => nothing))
    await engine().schedules.deleteSchedule(tenant, stage.id, newNote(tenant, 'schedule.delete'))
    expect(await fireOne(engine(), orderOf(place, T0))).toEqual(nothing)
    expect(await firesOf(engine(), place)).toEqual([])
    expect((await engine().runs.list(tenant, { limit: 10 })).items).toEqual([])
  })

  test('an instant is fired once: by a hundred at a time, and after its schedule was changed, deleted and put again', async () => {
    const place = await settle(engine())
    const { tenant, stage } = place
    await putSchedule(engine(), place)
    const ends = await Promise.all(Array.from({ length: 100 }, () => fireOne(engine(), orderOf(place, T0))))
    expect(ends.map(({ outcome }) => outcome).toSorted()).toEqual([...Array<string>(99).fill('stale'), 'started'])
    await putSchedule(engine(), place, { cron: '*/2 * * * *' })
    expect(await fireOne(engine(), orderOf(place, T0, { revision: 2 }))).toMatchObject({ outcome: 'stale' })
    // It goes on nevertheless.
    expect(await engine().schedules.nextDue()).toBe(T0 + MINUTE)
    await engine().schedules.deleteSchedule(tenant, stage.id, newNote(tenant, 'schedule.delete'))
    await putSchedule(engine(), place)
    expect(await fireOne(engine(), orderOf(place, T0))).toMatchObject({ outcome: 'stale' })
    expect(await fireOne(engine(), orderOf(place, T0 + MINUTE))).toMatchObject({ outcome: 'started' })
    expect((await engine().runs.list(tenant, { limit: 10 })).items).toHaveLength(2)
    expect(await firesOf(engine(), place)).toHaveLength(2)
  })

  test('what keeps a run from being executed is its end, with the reason', async () => {
    const place = await settle(engine())
    await putSchedule(engine(), place)
    const { run } = planned(place, T0)
    const refusal = {
      reason: 'stage_not_active',
      error: { type: 'StageNotActive', message: 'It served nothing.' },
    } as const
    const begin = planned(place, T0, { run: { ...run, deployment: null, version: null }, refusal })
    expect(await fireOne(engine(), orderOf(place, T0, { begin }))).toMatchObject({ outcome: 'started', run: run.id })
    expect(await engine().runs.find(place.tenant, run.id)).toMatchObject({
      status: 'failed',
      reason: 'stage_not_active',
      error: refusal.error,
      deployment: null,
      input: run.input,
      scheduled_for: now(T0),
    })
    const events = await engine().runs.events(place.tenant, run.id, 0, 10)
    expect(events.map(({ type }) => type)).toEqual(['status', 'result'])
    expect(await engine().runs.take('default', 1, LONG)).toEqual([])
  })

  test('what was missed is recorded and told of once, whether something else fires or not', async () => {
    const place = await hookedPlace(engine())
    const { tenant, skill, stage } = place
    await put(engine(), place, { events: ['schedule.missed'] })
    await putSchedule(engine(), place)
    const before = await engine().activity.present(tenant)
    let told = 0
    const end = engine().activity.watchActivity(tenant, () => told++)
    const missed = { first: T0, last: T0 + 4 * MINUTE }
    const caughtUp = orderOf(place, T0, {
      missed,
      begin: planned(place, T0 + 5 * MINUTE),
      next: nextAt(T0 + 6 * MINUTE),
    })
    expect(await fireOne(engine(), caughtUp)).toMatchObject({ outcome: 'started' })
    end()
    expect(told).toBeGreaterThan(0)
    const once = { first: T0 + 6 * MINUTE, last: T0 + 6 * MINUTE }
    const nothing = orderOf(place, T0 + 6 * MINUTE, { missed: once, begin: null, next: null })
    expect(await fireOne(engine(), nothing)).toEqual({ outcome: 'missed', run: null, stopping: [] })
    expect(await engine().schedules.nextDue()).toBeNull()
    const { items } = await engine().schedules.listFires(tenant, stage.id, { limit: 10 })
    expect(items).toMatchObject([
      { scheduled_for: now(T0 + 6 * MINUTE), outcome: 'missed', missed_until: null, run: null },
      { scheduled_for: now(T0 + 5 * MINUTE), outcome: 'started' },
      { scheduled_for: now(T0), outcome: 'missed', missed_until: now(T0 + 4 * MINUTE), run: null },
    ])
    const tellings = [
      { scheduled_for: now(T0), missed_until: now(T0 + 4 * MINUTE) },
      { scheduled_for: now(T0 + 6 * MINUTE), missed_until: null },
    ]
    const seen = await engine().activity.activity(tenant, before, 100)
    expect(seen.filter(({ type }) => type === 'schedule.missed')).toMatchObject(
      tellings.map((data) => ({ run: null, seq: null, skill: skill.id, stage: stage.id, stage_name: 'prod', data })),
    )
    const { items: deliveries } = await engine().webhooks.listDeliveries(tenant, { limit: 10 })
    expect(deliveries.map(({ event, run }) => [event, run])).toEqual([
      ['schedule.missed', null],
      ['schedule.missed', null],
    ])
    const message = await engine().webhooks.findDelivery(tenant, deliveries.at(-1)!.id)
    expect(JSON.parse(message!.payload)).toMatchObject({
      type: 'schedule.missed',
      data: { ...tellings[0], skill: skill.id, stage: stage.id },
    })
  })

  test('one that fails is undone alone, answers with its error, and can be tried again', async () => {
    const [good, bad, fine] = [await settle(engine()), await settle(engine()), await settle(engine())]
    for (const place of [good, bad, fine]) await putSchedule(engine(), place)
    const { run } = planned(bad, T0)
    // There is a run of that id already.
    const broken = planned(bad, T0, { run: { ...run, id: planned(good, T0).run.id } })
    const orders = [orderOf(good, T0), orderOf(bad, T0, { begin: broken }), orderOf(fine, T0)]
    const results = await engine().schedules.fire(orders)
    expect(results).toMatchObject([{ outcome: 'started' }, expect.any(Error), { outcome: 'started' }])
    expect(await firesOf(engine(), bad)).toEqual([])
    expect(await engine().runs.find(bad.tenant, run.id)).toBeNull()
    expect((await engine().schedules.due(T0, 10)).map(({ schedule }) => schedule.stage)).toEqual([bad.stage.id])
    expect(await fireOne(engine(), orderOf(bad, T0))).toMatchObject({ outcome: 'started', run: run.id })
  })
}
