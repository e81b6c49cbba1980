import { expect, test } from 'vitest'
import { digestOf } from '../../model/audit.ts'
import { now } from '../../model/json.ts'
import type { Schedule } from '../../model/schedules.ts'
import type { Engine } from '../ports.ts'
import { newNote, settle } from './engine-fixtures.ts'
import { MINUTE, T0, fireOne, newSchedule, nextAt, orderOf, putSchedule } from './schedule-fixtures.ts'

/** Schedules as their owners put, change and delete them, and as they come due. */
export function scheduleContract(engine: () => Engine): void {
  const dueAt = async (at: number): Promise<string[]> =>
    (await engine().schedules.due(at, 10)).map(({ schedule }) => schedule.stage)

  test('a schedule is found as it was put, by its tenant, and what was put is audited', async () => {
    const place = await settle(engine())
    const { tenant, stage } = place
    const first = await putSchedule(engine(), place)
    expect(first).toEqual({ ...newSchedule(place), revision: 1, next_at: now(T0), last: null })
    expect(await engine().schedules.findSchedule(tenant, stage.id)).toEqual(first)
    expect(await engine().schedules.findSchedule('ten_other', stage.id)).toBeNull()
    const other = { created_by: 'key_2', created_at: now(), updated_at: now(), cron: '0 6 * * MON', input: undefined }
    const second = await putSchedule(engine(), place, other, nextAt(T0 + MINUTE))
    expect(second).toEqual({
      ...newSchedule(place, { cron: '0 6 * * MON', updated_at: other.updated_at }),
      input: {},
      revision: 2,
      next_at: now(T0 + MINUTE),
      last: null,
    })
    const puts = (await engine().audit.read(tenant, 0, 100)).filter(({ action }) => action === 'schedule.put')
    expect(puts.map(({ before, after }) => [before, after])).toEqual([
      [null, digestOf(kept(first))],
      [digestOf(kept(first)), digestOf(kept(second))],
    ])
  })

  test('a put is conditional on the revision that it names; 0 stands for none', async () => {
    const place = await settle(engine())
    const put = (revision: number) => putSchedule(engine(), place, {}, nextAt(T0), revision)
    await expect(put(1)).rejects.toMatchObject({ code: 'schedule_changed', data: {} })
    expect(await Promise.allSettled([put(0), put(0)])).toMatchObject([
      { status: 'fulfilled', value: { revision: 1 } },
      { status: 'rejected', reason: { code: 'schedule_changed', data: { revision: 1 } } },
    ])
    // A fire is no change by a caller.
    await fireOne(engine(), orderOf(place, T0))
    expect(await put(1)).toMatchObject({ revision: 2, last: { scheduled_for: now(T0), outcome: 'started' } })
  })

  test('it goes with its stage and with its skill, and needs a stage that is there', async () => {
    const place = await settle(engine())
    const { tenant, skill, stage } = place
    const dev = await engine().skills.putStage(tenant, skill.id, 'dev', null, undefined, newNote(tenant, 'stage.put'))
    await putSchedule(engine(), place)
    await putSchedule(engine(), { ...place, stage: dev })
    await engine().skills.deleteStage(tenant, stage.id, newNote(tenant, 'stage.delete'))
    expect(await engine().schedules.findSchedule(tenant, stage.id)).toBeNull()
    expect(await dueAt(T0)).toEqual([dev.id])
    await expect(putSchedule(engine(), place)).rejects.toMatchObject({ code: 'not_found' })
    await engine().skills.deleteSkill(tenant, skill.id, newNote(tenant, 'skill.delete'))
    expect(await dueAt(T0)).toEqual([])
    const other = await settle(engine())
    await expect(putSchedule(engine(), other, { tenant })).rejects.toMatchObject({ code: 'not_found' })
  })

  test('a deleted one is gone, is audited, and leaves what became of its instants', async () => {
    const place = await settle(engine())
    const { tenant, stage } = place
    const put = await putSchedule(engine(), place)
    await fireOne(engine(), orderOf(place, T0))
    const note = newNote(tenant, 'schedule.delete')
    expect(await engine().schedules.deleteSchedule('ten_other', stage.id, note)).toBe(false)
    expect(await engine().schedules.deleteSchedule(tenant, stage.id, note)).toBe(true)
    expect(await engine().schedules.deleteSchedule(tenant, stage.id, note)).toBe(false)
    expect(await engine().schedules.findSchedule(tenant, stage.id)).toBeNull()
    expect((await engine().schedules.listFires(tenant, stage.id, { limit: 10 })).items).toHaveLength(1)
    expect((await engine().schedules.listFires('ten_other', stage.id, { limit: 10 })).items).toEqual([])
    const deleted = (await engine().audit.read(tenant, 0, 100)).at(-1)
    expect(deleted).toMatchObject({ action: 'schedule.delete', before: digestOf(kept(put)), after: null })
  })

  test('lists go page by page, with the last fire of each, and show what the caller may see', async () => {
    const place = await settle(engine())
    const { tenant, skill } = place
    await settle(engine(), tenant, 'other')
    await putSchedule(engine(), await settle(engine()))
    const stages = [place.stage]
    for (let i = 0; i < 4; i++) {
      stages.push(
        await engine().skills.putStage(tenant, skill.id, `s${i}`, null, undefined, newNote(tenant, 'stage.put')),
      )
    }
    for (const stage of stages) await putSchedule(engine(), { ...place, stage })
    for (const minute of [0, 1, 2]) await fireOne(engine(), orderOf(place, T0 + minute * MINUTE))
    const seen: Schedule[] = []
    let cursor: string | undefined
    do {
      const page = await engine().schedules.listSchedules(tenant, { limit: 2, cursor })
      seen.push(...page.items)
      cursor = page.next ?? undefined
    } while (cursor !== undefined)
    const newestFirst = stages
      .map(({ id }) => id)
      .toSorted()
      .toReversed()
    expect(seen.map(({ stage }) => stage)).toEqual(newestFirst)
    expect(seen.map(({ last }) => last?.scheduled_for)).toEqual(
      newestFirst.map((id) => (id === place.stage.id ? now(T0 + 2 * MINUTE) : undefined)),
    )
    const only = [{ skills: [skill.id], stages: ['prod', 's1'] }]
    const allowed = await engine().schedules.listSchedules(tenant, { limit: 10, only })
    expect(allowed.items.map(({ stage }) => stage)).toEqual([stages[2]!.id, stages[0]!.id])
    expect((await engine().schedules.listSchedules(tenant, { limit: 10, only: [] })).items).toEqual([])
  })

  test('fires go page by page, newest first', async () => {
    const place = await settle(engine())
    await putSchedule(engine(), place)
    for (let minute = 0; minute < 5; minute++) await fireOne(engine(), orderOf(place, T0 + minute * MINUTE))
    const { tenant, stage } = place
    const first = await engine().schedules.listFires(tenant, stage.id, { limit: 3 })
    const rest = await engine().schedules.listFires(tenant, stage.id, { limit: 3, cursor: first.next! })
    expect([...first.items, ...rest.items].map(({ scheduled_for }) => Date.parse(scheduled_for) - T0)).toEqual(
      [4, 3, 2, 1, 0].map((minute) => minute * MINUTE),
    )
    expect(rest.next).toBeNull()
  })

  test('what is due comes in its order, a page after the other; what is disabled or over never does', async () => {
    const place = await settle(engine())
    const { tenant, skill } = place
    expect(await engine().schedules.nextDue()).toBeNull()
    const stages: string[] = []
    for (const [i, offset] of [30, 10, 20, 20, 40].entries()) {
      const stage = await engine().skills.putStage(
        tenant,
        skill.id,
        `s${i}`,
        null,
        undefined,
        newNote(tenant, 'stage.put'),
      )
      await putSchedule(engine(), { ...place, stage }, {}, { instant: T0, due: T0 + offset })
      stages.push(stage.id)
    }
    await putSchedule(engine(), place, { enabled: false })
    const [late, first, a, b, later] = stages as [string, string, string, string, string]
    expect(await engine().schedules.nextDue()).toBe(T0 + 10)
    expect(await engine().schedules.nextDue(T0 + 30)).toBe(T0 + 40)
    expect(await engine().schedules.nextDue(T0 + 40)).toBeNull()
    expect(await dueAt(T0 + 9)).toEqual([])
    expect(await dueAt(T0 + 30)).toEqual([first, ...[a, b].toSorted(), late])
    expect(await dueAt(T0 + 40)).toEqual([first, ...[a, b].toSorted(), late, later])
    const page = await engine().schedules.due(T0 + 40, 2)
    expect(page[0]).toEqual({
      schedule: { ...newSchedule(place, { stage: first }), revision: 1 },
      next: { instant: T0, due: T0 + 10 },
    })
    const rest = await engine().schedules.due(T0 + 40, 5, page[1])
    expect(rest.map(({ schedule }) => schedule.stage)).toEqual([[a, b].toSorted()[1], late, later])
  })

  test('whoever waits for the next one is told that it may be earlier now', async () => {
    const place = await settle(engine())
    let told = 0
    const end = engine().schedules.watchSchedules(() => told++)
    await putSchedule(engine(), place)
    expect(told).toBe(1)
    await expect(putSchedule(engine(), place, {}, nextAt(T0), 7)).rejects.toMatchObject({ code: 'schedule_changed' })
    expect(told).toBe(1)
    end()
    await putSchedule(engine(), place)
    expect(told).toBe(1)
  })
}

/** What of it callers decide: that is what is audited. */
const kept = ({ last: _last, next_at: _next, ...rest }: Schedule): object => rest
