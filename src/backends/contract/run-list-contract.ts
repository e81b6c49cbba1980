import { expect, test } from 'vitest'
import { newId } from '../../model/ids.ts'
import type { Engine } from '../ports.ts'
import type { RunFilter } from '../run-ports.ts'
import { NOTE, LONG, SUCCEEDED, admit, newNote, settle } from './engine-fixtures.ts'

export function runListContract(engine: () => Engine): void {
  /** Every page of a list, as ids. */
  async function all(tenant: string, filter: RunFilter): Promise<string[]> {
    const ids: string[] = []
    let cursor: string | undefined
    do {
      const page = await engine().runs.list(tenant, { ...filter, cursor })
      expect(page.items.length).toBeLessThanOrEqual(filter.limit)
      ids.push(...page.items.map(({ id }) => id))
      cursor = page.next ?? undefined
    } while (cursor !== undefined)
    return ids
  }

  test('runs are listed newest first, without payloads, in pages that new runs do not disturb', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const ids: string[] = []
    for (let i = 0; i < 7; i++) ids.push(await admit(runs, place, { id: `run_${i}` }))
    const first = await runs.list(place.tenant, { limit: 3 })
    await admit(runs, place, { id: 'run_9' })
    const second = await runs.list(place.tenant, { limit: 3, cursor: first.next! })
    const third = await runs.list(place.tenant, { limit: 3, cursor: second.next! })
    expect([first, second, third].flatMap(({ items }) => items.map(({ id }) => id))).toEqual(ids.toReversed())
    expect(third.next).toBeNull()
    expect(first.items[0]).toMatchObject({ input: null, output: null, status: 'queued' })
    await expect(runs.list(place.tenant, { limit: 3, cursor: '%' })).rejects.toMatchObject({ code: 'bad_request' })
  })

  test('how a run stands is told without its payloads, and to its tenant alone', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const id = await admit(runs, place, { input: { much: 'x'.repeat(1000) } })
    const { input, ...rest } = (await runs.find(place.tenant, id))!
    expect(input).toEqual({ much: 'x'.repeat(1000) })
    expect(await runs.look(place.tenant, id)).toEqual({ ...rest, input: null })
    expect(await runs.look('ten_other', id)).toBeNull()
    expect(await runs.look(place.tenant, 'run_none')).toBeNull()
  })

  test('what may be seen is picked by skills, by names of stages, and by who began it; none is no run', async () => {
    const { runs, skills } = engine()
    const place = await settle(engine())
    const { tenant, skill } = place
    const other = await settle(engine(), tenant, 'other')
    const dev = await skills.putStage(tenant, skill.id, 'dev', null, undefined, newNote(tenant, 'stage.put'))
    await admit(runs, place, { id: 'run_1' })
    await admit(runs, place, { id: 'run_2', stage: dev.id, created_by: 'key_2' })
    await admit(runs, other, { id: 'run_3', created_by: 'key_2' })
    const seen = (only: RunFilter['only'], more: Partial<RunFilter> = {}) => all(tenant, { limit: 1, only, ...more })

    expect(await seen([])).toEqual([])
    expect(await seen([{ skills: [], stages: null }])).toEqual([])
    expect(await seen([{ skills: null, stages: [] }])).toEqual([])
    expect(await seen([{ skills: null, stages: null }])).toEqual(['run_3', 'run_2', 'run_1'])
    expect(await seen([{ skills: [skill.id], stages: null }])).toEqual(['run_2', 'run_1'])
    expect(await seen([{ skills: [skill.id, other.skill.id], stages: ['prod'] }])).toEqual(['run_3', 'run_1'])
    const some = [
      { skills: null, stages: ['dev', 'none'] },
      { skills: [other.skill.id], stages: null },
    ]
    expect(await seen(some)).toEqual(['run_3', 'run_2'])
    expect(await seen(some, { skill: skill.id })).toEqual(['run_2'])
    expect(await seen(some, { status: 'cancelled' })).toEqual([])
    expect(await seen(some, { createdBy: 'key_2', stage: other.stage.id })).toEqual(['run_3'])
    expect(await seen(undefined, { createdBy: 'key_1' })).toEqual(['run_1'])
    // Stages of that name in other tenants are none of these.
    const foreign = await settle(engine())
    await admit(runs, foreign, { id: 'run_4' })
    expect(await all(foreign.tenant, { limit: 1, only: [{ skills: null, stages: ['dev'] }] })).toEqual([])

    const listed = async (only: string[]) =>
      (await skills.listSkills(tenant, { limit: 5, only })).items.map(({ name }) => name)
    expect([await listed([]), await listed([other.skill.id, foreign.skill.id])]).toEqual([[], ['other']])
  })

  test('filters pick by skill, stage and status, in the tenant only', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const other = await settle(engine(), place.tenant, 'other')
    const foreign = await settle(engine())
    for (let i = 0; i < 4; i++) await admit(runs, place, { id: `run_a${i}` })
    for (let i = 0; i < 2; i++) await admit(runs, other, { id: `run_b${i}` })
    const [succeeds, fails, runsOn] = await runs.take('default', 3, LONG)
    await runs.finish(succeeds!.run.id, succeeds!.token, SUCCEEDED)
    await runs.finish(fails!.run.id, fails!.token, { ...SUCCEEDED, status: 'failed', reason: 'timeout', output: null })
    await runs.cancel(place.tenant, 'run_b0', NOTE)
    await admit(runs, foreign, { id: 'run_c' })

    const { tenant, skill, stage } = place
    expect(runsOn!.run.id).toBe('run_a2')
    expect(await all(tenant, { limit: 2 })).toEqual(['run_b1', 'run_b0', 'run_a3', 'run_a2', 'run_a1', 'run_a0'])
    expect(await all(tenant, { limit: 2, skill: skill.id })).toEqual(['run_a3', 'run_a2', 'run_a1', 'run_a0'])
    expect(await all(tenant, { limit: 1, stage: other.stage.id })).toEqual(['run_b1', 'run_b0'])
    expect(await all(tenant, { limit: 1, status: 'queued' })).toEqual(['run_b1', 'run_a3'])
    expect(await all(tenant, { limit: 1, status: 'running' })).toEqual(['run_a2'])
    expect(await all(tenant, { limit: 1, status: 'succeeded' })).toEqual(['run_a0'])
    expect(await all(tenant, { limit: 1, status: 'succeeded', skill: skill.id })).toEqual(['run_a0'])
    expect(await all(tenant, { limit: 1, status: 'succeeded', stage: other.stage.id })).toEqual([])
    expect(await all(tenant, { limit: 5, skill: skill.id, stage: stage.id, status: 'failed' })).toEqual(['run_a1'])
    expect(await all(tenant, { limit: 5, skill: other.skill.id, status: 'cancelled' })).toEqual(['run_b0'])
    expect(await all(tenant, { limit: 5, skill: other.skill.id, stage: stage.id })).toEqual([])
    expect(await all(tenant, { limit: 5, status: 'throttled' })).toEqual([])
    expect(await all(tenant, { limit: 5, skill: foreign.skill.id })).toEqual([])
    expect(await all(newId('tenant'), { limit: 5 })).toEqual([])
  })
}
