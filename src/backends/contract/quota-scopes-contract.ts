import { expect, test } from 'vitest'
import type { Engine } from '../ports.ts'
import { LONG, SUCCEEDED, admit, newNote, newTenant, settle } from './engine-fixtures.ts'
import { cap, usedOf } from './quota-fixtures.ts'

/** Whose caps hold for whom. */
export function quotaScopesContract(engine: () => Engine): void {
  test('the smaller of ceiling and caps holds for the tenant, and below it the caps of the skill', async () => {
    const { runs, quotas } = engine()
    const place = await settle(engine())
    const other = await settle(engine(), place.tenant, 'other')
    await cap(engine(), place.tenant, { runs_per_day: 3, runs_per_month: 100 }, { kind: 'ceiling' })
    await cap(engine(), place.tenant, { runs_per_day: 5, runs_per_month: 50, concurrent_runs: null })
    const quota = await cap(engine(), place.tenant, { runs_per_day: 1 }, { kind: 'skill', skill: place.skill.id })
    expect(quota).toEqual({
      tenant: place.tenant,
      zone: 'UTC',
      ceiling: { runs_per_day: 3, runs_per_month: 100 },
      caps: { runs_per_day: 5, runs_per_month: 50 },
      skills: [{ skill: place.skill.id, caps: { runs_per_day: 1 } }],
    })
    expect(await quotas.findQuota(place.tenant)).toEqual(quota)
    const ids = [await admit(runs, place), await admit(runs, place), await admit(runs, other), await admit(runs, other)]
    const last = await admit(runs, other)
    const taken = (await runs.take('default', 10, LONG)).map(({ run }) => run.id)
    expect(taken).toEqual([ids[0], ids[2], ids[3]])
    expect((await runs.find(place.tenant, ids[1]!))!.throttle).toMatchObject({ skill: place.skill.id, limit: 1 })
    expect((await runs.find(place.tenant, ids[1]!))!.error!.message).toContain('the skill "notes"')
    expect((await runs.find(place.tenant, last))!.throttle).toMatchObject({ skill: null, limit: 3 })
    expect(await usedOf(engine(), place.tenant, place.skill.id)).toEqual({
      runs_per_day: 3,
      runs_per_month: 3,
      [`${place.skill.id}/runs_per_day`]: 1,
    })
    expect(await usedOf(engine(), place.tenant, other.skill.id)).toEqual({ runs_per_day: 3, runs_per_month: 3 })
  })

  test('what was used before there was a cap counts, and so does what is under way', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const other = await settle(engine(), place.tenant, 'other')
    await admit(runs, place)
    const [ended] = await runs.take('default', 1, LONG)
    await runs.finish(ended!.run.id, ended!.token, { ...SUCCEEDED, billable_ms: 90_000 })
    await admit(runs, place)
    await admit(runs, other)
    const [live] = await runs.take('default', 2, LONG)
    await cap(engine(), place.tenant, { runs_per_day: 4, minutes_per_month: 10 })
    await cap(engine(), place.tenant, { runs_per_month: 9 }, { kind: 'skill', skill: place.skill.id })
    const ofSkill = `${place.skill.id}/runs_per_month`
    const before = { runs_per_day: 3, minutes_per_month: 1.5, [ofSkill]: 2 }
    expect(await usedOf(engine(), place.tenant, place.skill.id)).toEqual(before)
    // Counted already: its end adds its minutes alone.
    await runs.finish(live!.run.id, live!.token, { ...SUCCEEDED, billable_ms: 30_000 })
    expect(await usedOf(engine(), place.tenant, place.skill.id)).toEqual({ ...before, minutes_per_month: 2 })
    await admit(runs, other)
    await admit(runs, other)
    expect(await runs.take('default', 5, LONG)).toHaveLength(1)
  })

  test('caps that are taken away hold no more; those of a deleted skill are gone', async () => {
    const { runs, quotas, skills } = engine()
    const place = await settle(engine())
    await cap(engine(), place.tenant, { runs_per_day: 0 })
    await cap(engine(), place.tenant, { runs_per_day: 0 }, { kind: 'skill', skill: place.skill.id })
    await cap(engine(), place.tenant, {})
    const quota = await cap(engine(), place.tenant, { runs_per_day: null }, { kind: 'skill', skill: place.skill.id })
    expect(quota).toMatchObject({ caps: {}, skills: [] })
    expect(await quotas.quotaStates(place.tenant)).toEqual([])
    await admit(runs, place)
    expect(await runs.take('default', 1, LONG)).toHaveLength(1)
    await cap(engine(), place.tenant, { runs_per_day: 7 }, { kind: 'skill', skill: place.skill.id })
    await skills.deleteSkill(place.tenant, place.skill.id, newNote(place.tenant, 'skill.delete', place.skill.id))
    expect((await quotas.findQuota(place.tenant)).skills).toEqual([])
    expect(await quotas.quotaStates(place.tenant)).toEqual([])
  })

  test('caps of one tenant do not touch another', async () => {
    const { runs, quotas } = engine()
    const [capped, free] = [await settle(engine()), await settle(engine())]
    await cap(engine(), capped.tenant, { runs_per_day: 0 })
    await cap(engine(), capped.tenant, { runs_per_day: 0 }, { kind: 'skill', skill: free.skill.id })
    const id = await admit(runs, free)
    expect((await runs.take('default', 1, LONG)).map(({ run }) => run.id)).toEqual([id])
    expect((await quotas.findQuota(capped.tenant)).skills).toEqual([])
    expect(await quotas.quotaStates(free.tenant)).toEqual([])
  })

  test('nothing of a suspended tenant is begun, not even what was handed back', async () => {
    const { runs, access } = engine()
    const { tenant, key, hash } = newTenant()
    await access.createTenant(tenant, key, hash, null)
    const place = await settle(engine(), tenant.id)
    const before = await admit(runs, place)
    const [claim] = await runs.take('default', 1, LONG)
    await runs.release(before, claim!.token)
    const id = await admit(runs, place)
    await access.updateTenant(tenant.id, { suspended: true }, newNote(tenant.id, 'tenant.update', tenant.id))
    expect(await runs.take('default', 5, LONG)).toEqual([])
    for (const run of [before, id]) {
      expect(await runs.find(tenant.id, run)).toMatchObject({
        status: 'throttled',
        throttle: { cap: 'suspended', skill: null, limit: 0, resets_at: null },
        error: { message: expect.stringContaining('suspended') },
        billable_ms: null,
      })
    }
    await access.updateTenant(tenant.id, { suspended: false }, newNote(tenant.id, 'tenant.update', tenant.id))
    await admit(runs, place)
    expect(await runs.take('default', 5, LONG)).toHaveLength(1)
  })
}
