import { expect, test } from 'vitest'
import type { Activity } from '../../model/activity.ts'
import { newId } from '../../model/ids.ts'
import type { Engine } from '../ports.ts'
import { LONG, NOTE, type Place, SUCCEEDED, admit, newNote, settle } from './engine-fixtures.ts'

export function activityContract(engine: () => Engine): void {
  /** Runs of the place, from admission to success. */
  async function execute(place: Place, count: number): Promise<string[]> {
    const { runs } = engine()
    const ids: string[] = []
    for (let i = 0; i < count; i++) ids.push(await admit(runs, place))
    for (const { run, token } of await runs.take('default', count, LONG)) {
      await runs.appendLogs(run.id, token, [{ at: run.created_at, stream: 'stdout', text: 'secretly logged' }])
      await runs.finish(run.id, token, SUCCEEDED)
    }
    return ids
  }

  async function all(tenant: string, after: string, limit = 100): Promise<Activity[]> {
    const { activity } = engine()
    const seen: Activity[] = []
    for (;;) {
      const page = await activity.activity(tenant, seen.at(-1)?.id ?? after, limit)
      seen.push(...page)
      if (page.length < limit) return seen
    }
  }

  test('tells how runs went, in order, with where they belong and without their logs', async () => {
    const place = await settle(engine())
    const { skill, stage, tenant } = place
    const before = await engine().activity.present(tenant)
    expect(await engine().activity.activity(tenant, before, 10)).toEqual([])
    const [run] = await execute(place, 1)
    const seen = await all(tenant, before)
    const where = { skill: skill.id, skill_name: 'notes', stage: stage.id, stage_name: 'prod', run }
    expect(seen).toEqual([
      {
        ...where,
        id: expect.any(String),
        at: expect.any(String),
        type: 'run.status',
        seq: 1,
        data: { status: 'queued' },
      },
      expect.objectContaining({ ...where, type: 'run.status', seq: 2, data: { status: 'running', attempt: 1 } }),
      expect.objectContaining({ ...where, type: 'run.result', seq: 4 }),
    ])
    // What the run's own events carry.
    const own = await engine().runs.events(tenant, run!, 0, 10)
    expect(seen.map(({ data, at }) => ({ data, at }))).toEqual(
      own.filter(({ type }) => type !== 'log').map(({ data, at }) => ({ data, at })),
    )
  })

  test('ids sort as text in the order of what happened, through all tenants', async () => {
    const [one, other] = [await settle(engine()), await settle(engine())]
    for (let i = 0; i < 20; i++) await execute(i % 2 === 0 ? one : other, 1)
    const start = await engine().activity.present(newId('tenant'))
    const ids = [...(await all(one.tenant, start)), ...(await all(other.tenant, start))].map(({ id }) => id)
    expect(new Set(ids).size).toBe(60)
    expect((await all(one.tenant, start)).map(({ id }) => id)).toEqual(ids.slice(0, 30).toSorted())
    expect(await engine().activity.present(one.tenant)).toBe(ids[29])
  })

  test('pages have no gap and no repeat while others write', async () => {
    const [place, other] = [await settle(engine()), await settle(engine())]
    const start = await engine().activity.present(place.tenant)
    let writing = true
    const writers = Promise.all([execute(place, 30), execute(other, 30), execute(place, 30)]).finally(() => {
      writing = false
    })
    const seen: Activity[] = []
    for (;;) {
      const over = !writing
      const page = await engine().activity.activity(place.tenant, seen.at(-1)?.id ?? start, 7)
      seen.push(...page)
      if (over && page.length === 0) break
      await new Promise(setImmediate)
    }
    const [first, , third] = await writers
    expect(seen).toEqual(await all(place.tenant, start, 1000))
    expect(seen.map(({ id }) => id)).toEqual([...new Set(seen.map(({ id }) => id))].toSorted())
    for (const run of [...first, ...third]) {
      expect(seen.filter((one) => one.run === run).map(({ type }) => type)[0]).toBe('run.status')
    }
    expect(new Set(seen.map(({ run }) => run))).toEqual(new Set([...first, ...third]))
  })

  test('another tenant sees nothing', async () => {
    const place = await settle(engine())
    await execute(place, 2)
    const stranger = newId('tenant')
    const start = await engine().activity.present(stranger)
    expect(await engine().activity.activity(stranger, start, 10)).toEqual([])
    expect(await engine().activity.activity(place.tenant, start, 10)).toHaveLength(6)
  })

  test('a cursor is kept, one beyond the newest becomes the newest, and what is none is refused', async () => {
    const { activity } = engine()
    const place = await settle(engine())
    await execute(place, 1)
    const [first] = await all(place.tenant, await activity.present(newId('tenant')))
    const newest = await activity.present(place.tenant)
    expect(await activity.present(place.tenant, first!.id)).toBe(first!.id)
    expect(await activity.present(place.tenant, newest)).toBe(newest)
    // As after a backup was put back.
    expect(await activity.present(place.tenant, newest.replaceAll(/./g, 'z'))).toBe(newest)
    for (const odd of [
      '',
      'x',
      '1',
      `${newest}0`,
      newest.toUpperCase() + '!',
      "' OR 1=1",
      '-000000001',
      '٠'.repeat(10),
    ]) {
      await expect(activity.present(place.tenant, odd), odd).rejects.toMatchObject({ code: 'bad_request' })
      await expect(activity.activity(place.tenant, odd, 10), odd).rejects.toMatchObject({ code: 'bad_request' })
    }
  })

  test('of a stage and a skill that are gone, what happened stays', async () => {
    const place = await settle(engine())
    const { tenant, skill, stage } = place
    const start = await engine().activity.present(tenant)
    await admit(engine().runs, place)
    await engine().skills.deleteStage(tenant, stage.id, NOTE)
    expect((await all(tenant, start))[0]).toMatchObject({ stage: stage.id, stage_name: null, skill_name: 'notes' })
    await engine().skills.deleteSkill(tenant, skill.id, newNote(tenant, 'skill.delete'))
    expect((await all(tenant, start))[0]).toMatchObject({ skill: skill.id, skill_name: 'notes' })
  })

  test('who watches a tenant is told of what happens in it, after it can be read, and of no other', async () => {
    const { activity, runs } = engine()
    const [place, other] = [await settle(engine()), await settle(engine())]
    const start = await activity.present(place.tenant)
    let told = 0
    const counted = activity.watchActivity(place.tenant, () => told++)
    await admit(runs, other)
    expect(told).toBe(0)
    const seen = Promise.withResolvers<number>()
    const once = activity.watchActivity(place.tenant, () => {
      void activity.activity(place.tenant, start, 10).then(({ length }) => seen.resolve(length), seen.reject)
    })
    const id = await admit(runs, place)
    expect(await seen.promise).toBe(1)
    once()
    expect(told).toBe(1)
    const claims = await runs.take('default', 2, LONG)
    expect(told).toBe(2)
    await runs.finish(id, claims.find(({ run }) => run.id === id)!.token, SUCCEEDED)
    expect(told).toBe(3)
    counted()
    await admit(runs, place)
    expect(told).toBe(3)
  })
}
