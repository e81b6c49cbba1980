import { expect, test } from 'vitest'
import type { Engine } from '../ports.ts'
import { LONG, NOTE, OVER, SUCCEEDED, admit, newNote, newRun, settle } from './engine-fixtures.ts'
import { pausesOf } from './queue-fixtures.ts'

/** Stages and tenants whose runs wait. */
export function queuePauseContract(engine: () => Engine): void {
  const { settleTenant, pause, resume, stateOf, taken } = pausesOf(engine)

  test('what a paused stage has waits, and what comes waits too; others go on', async () => {
    const { runs, skills } = engine()
    const place = await settleTenant()
    const other = await settle(engine(), place.tenant, 'other')
    const before = await admit(runs, place)
    await pause(place, place.stage.id)
    const after = await admit(runs, place)
    const elsewhere = await admit(runs, other)
    expect(await taken()).toEqual([elsewhere])
    expect(await stateOf(place)).toMatchObject({ waiting: 0, running: 1, paused: 2, oldest_at: null })
    expect(await engine().queues.queues(place.tenant)).toMatchObject({ paused: false, paused_stages: [place.stage.id] })
    expect(await skills.findStage(place.tenant, place.skill.id, 'prod')).toEqual({ ...place.stage, paused: true })
    await resume(place, place.stage.id)
    expect(await taken()).toEqual([before, after])
    expect(await skills.findStage(place.tenant, place.skill.id, 'prod')).toEqual(place.stage)
  })

  test('a tenant that is paused has nothing taken, on no stage; another has', async () => {
    const { runs } = engine()
    const place = await settleTenant()
    const foreign = await settleTenant()
    const id = await admit(runs, place)
    await pause(place, null)
    await admit(runs, place)
    const others = await admit(runs, foreign)
    expect(await taken()).toEqual([others])
    expect((await engine().queues.queues(place.tenant)).paused).toBe(true)
    expect((await engine().queues.queues(foreign.tenant)).paused).toBe(false)
    await resume(place, null)
    expect((await taken())[0]).toBe(id)
  })

  test('what two pauses hold is held until both are over', async () => {
    const { runs } = engine()
    const place = await settleTenant()
    const id = await admit(runs, place)
    await pause(place, place.stage.id)
    await pause(place, null)
    await resume(place, place.stage.id)
    expect(await taken()).toEqual([])
    await pause(place, place.stage.id)
    await resume(place, null)
    expect(await taken()).toEqual([])
    await resume(place, place.stage.id)
    expect(await taken()).toEqual([id])
  })

  test('what came back from a worker waits as well', async () => {
    const { runs } = engine()
    const place = await settleTenant()
    const [lost, released, retried] = [await admit(runs, place), await admit(runs, place), await admit(runs, place)]
    const [first] = await runs.take('default', 1, OVER)
    expect(first!.run.id).toBe(lost)
    await pause(place, place.stage.id)
    await resume(place, place.stage.id)
    const claims = await runs.take('default', 3, LONG)
    await pause(place, place.stage.id)
    const claimOf = (id: string) => claims.find(({ run }) => run.id === id)!
    await runs.release(released, claimOf(released).token)
    await runs.retry(
      retried,
      claimOf(retried).token,
      { ...SUCCEEDED, status: 'failed', reason: 'timeout', output: null },
      0,
    )
    expect(await runs.recover()).toBe(1)
    expect(await taken()).toEqual([])
    expect(await stateOf(place)).toMatchObject({ waiting: 0, paused: 3 })
    await resume(place, place.stage.id)
    expect((await taken()).toSorted()).toEqual([lost, released, retried].toSorted())
  })

  test('a free place takes nothing that is begun on a paused stage', async () => {
    const place = await settleTenant()
    await pause(place, place.stage.id)
    const run = newRun(place)
    const begun = await engine().runs.admit(run, 'default', NOTE, { take: { leaseMs: LONG } })
    expect(begun).toEqual({ outcome: 'admitted', run, taken: [] })
    expect(await engine().runs.nextVisible('default')).toBeNull()
  })

  test('a stage is paused by its tenant only', async () => {
    const [place, foreign] = [await settleTenant(), await settleTenant()]
    const id = await admit(engine().runs, place)
    await engine().queues.setPaused(
      foreign.tenant,
      place.stage.id,
      true,
      newNote(foreign.tenant, 'queue.pause', place.stage.id),
    )
    expect(await taken()).toEqual([id])
  })

  test('a run that lost its worker on a paused stage can be cancelled, and goes with its stage', async () => {
    const { runs, skills } = engine()
    const place = await settleTenant()
    const [first, second] = [await admit(runs, place), await admit(runs, place)]
    await runs.take('default', 2, LONG)
    await pause(place, place.stage.id)
    await runs.recover()
    expect(await runs.cancel(place.tenant, first, NOTE)).toMatchObject({ status: 'cancelled', attempt: 1 })
    await skills.deleteStage(place.tenant, place.stage.id, newNote(place.tenant, 'stage.delete'))
    expect(await runs.find(place.tenant, second)).toMatchObject({ status: 'cancelled' })
    expect(await stateOf(place)).toMatchObject({ waiting: 0, running: 0, paused: 0 })
  })

  test('a run that was asked to stop is over when its worker is lost, paused or not', async () => {
    const { runs } = engine()
    const place = await settleTenant()
    const id = await admit(runs, place)
    await runs.take('default', 1, LONG)
    await pause(place, place.stage.id)
    expect(await runs.cancel(place.tenant, id, NOTE)).toMatchObject({ status: 'running' })
    await runs.recover()
    expect(await taken()).toEqual([])
    expect(await runs.find(place.tenant, id)).toMatchObject({ status: 'cancelled' })
  })

  test('pausing twice is told once; the log names who and what', async () => {
    const place = await settleTenant()
    await pause(place, place.stage.id)
    await pause(place, place.stage.id)
    await resume(place, place.stage.id)
    await resume(place, place.stage.id)
    await pause(place, 'stg_missing')
    const { items } = await engine().audit.list(place.tenant, { limit: 10 })
    const told = items.filter(({ action }) => action.startsWith('queue.'))
    expect(told.map(({ action, target }) => [action, target])).toEqual([
      ['queue.resume', place.stage.id],
      ['queue.pause', place.stage.id],
    ])
  })
}
