import { expect, test } from 'vitest'
import { now } from '../../model/json.ts'
import type { Schedule } from '../../model/schedules.ts'
import type { FireResult } from '../flow-ports.ts'
import type { Engine } from '../ports.ts'
import type { Claim } from '../run-ports.ts'
import { LONG, NOTE, type Place, SUCCEEDED, admit, newNote, settle } from './engine-fixtures.ts'
import { MINUTE, T0, fireOne, firesOf, orderOf, putSchedule } from './schedule-fixtures.ts'

/** What happens while a run of the same schedule is not over. */
export function scheduleOverlapContract(engine: () => Engine): void {
  /** A place whose schedule has not fired yet, and what fires it minute by minute. */
  async function scheduled(overlap: Schedule['overlap']): Promise<{ place: Place; fire: () => Promise<FireResult> }> {
    const place = await settle(engine())
    await putSchedule(engine(), place, { overlap })
    let minute = 0
    return { place, fire: () => fireOne(engine(), orderOf(place, T0 + minute++ * MINUTE, { overlap })) }
  }
  const take = (): Promise<Claim[]> => engine().runs.take('default', 10, LONG)
  const finish = (claim: Claim | undefined) => engine().runs.finish(claim!.run.id, claim!.token, SUCCEEDED)
  const status = async (place: Place, run: string | null) => (await engine().runs.find(place.tenant, run!))!.status

  test('skip: no run until the one before is over, which is told of', async () => {
    const { place, fire } = await scheduled('skip')
    const before = await engine().activity.present(place.tenant)
    const first = await fire()
    expect(await fire()).toEqual({ outcome: 'skipped', run: null, stopping: [] })
    const [claim] = await take()
    expect(await fire()).toMatchObject({ outcome: 'skipped' })
    await finish(claim)
    expect(await fire()).toMatchObject({ outcome: 'started' })
    expect((await firesOf(engine(), place)).map(({ outcome, run }) => [outcome, run])).toMatchObject([
      ['started', first.run],
      ['skipped', null],
      ['skipped', null],
      ['started', expect.any(String)],
    ])
    const seen = await engine().activity.activity(place.tenant, before, 100)
    expect(seen.flatMap(({ type, data }) => (type === 'schedule.skipped' ? [data] : []))).toEqual([
      { scheduled_for: now(T0 + MINUTE) },
      { scheduled_for: now(T0 + 2 * MINUTE) },
    ])
  })

  test('runs that callers began, and those of other schedules, are in nobody’s way', async () => {
    const { place, fire } = await scheduled('skip')
    await admit(engine().runs, place)
    const other = await scheduled('skip')
    await other.fire()
    expect(await fire()).toMatchObject({ outcome: 'started' })
  })

  test('queue_one: one waits for the end of the run before it, more are skipped', async () => {
    const { place, fire } = await scheduled('queue_one')
    const first = await fire()
    const second = await fire()
    expect([first.outcome, second.outcome, (await fire()).outcome]).toEqual(['started', 'held', 'skipped'])
    const claims = await take()
    expect(claims.map(({ run }) => run.id)).toEqual([first.run])
    expect((await fire()).outcome).toBe('skipped')
    const woken: string[] = []
    const end = engine().runs.watchQueue((queue) => woken.push(queue))
    await finish(claims[0])
    end()
    expect(woken).toEqual(['default'])
    expect((await fire()).outcome).toBe('held')
    const [next] = await take()
    expect(next!.run.id).toBe(second.run)
    expect(await status(place, second.run)).toBe('running')
  })

  test('queue_one: what is tried again, handed back or left behind by a restart is not over', async () => {
    const { fire } = await scheduled('queue_one')
    const first = await fire()
    const second = await fire()
    const [claim] = await take()
    await engine().runs.release(claim!.run.id, claim!.token)
    expect((await fire()).outcome).toBe('skipped')
    const [again] = await take()
    expect(again!.run.id).toBe(first.run)
    expect(await engine().runs.recover()).toBe(1)
    const [recovered, ...others] = await take()
    expect([recovered!.run.id, others]).toEqual([first.run, []])
    await finish(recovered)
    expect((await take()).map(({ run }) => run.id)).toEqual([second.run])
  })

  test('queue_one: on a paused stage the one that waited goes on waiting, until the stage is resumed', async () => {
    const { place, fire } = await scheduled('queue_one')
    const paused = (is: boolean) =>
      engine().queues.setPaused(place.tenant, place.stage.id, is, newNote(place.tenant, 'queue.pause'))
    const first = await fire()
    const second = await fire()
    const [claim] = await take()
    expect(claim!.run.id).toBe(first.run)
    await paused(true)
    await finish(claim)
    expect(await take()).toEqual([])
    // It is under way now, although it does not run: another one is held behind it, and nothing lets that go.
    const third = await fire()
    expect(third.outcome).toBe('held')
    await paused(false)
    const [next, ...others] = await take()
    expect([next!.run.id, others]).toEqual([second.run, []])
    await finish(next)
    expect((await take()).map(({ run }) => run.id)).toEqual([third.run])
  })

  test('allow: they run at once', async () => {
    const { fire } = await scheduled('allow')
    const runs = [await fire(), await fire(), await fire()]
    expect((await take()).map(({ run }) => run.id)).toEqual(runs.map(({ run }) => run))
  })

  test('a caller who cancels the run that is waited for lets the next one go', async () => {
    const { place, fire } = await scheduled('queue_one')
    const first = await fire()
    const second = await fire()
    await engine().runs.cancel(place.tenant, first.run!, NOTE)
    expect((await take()).map(({ run }) => run.id)).toEqual([second.run])
  })

  test('what is held waits for the last of several runs', async () => {
    const { place, fire } = await scheduled('allow')
    await fire()
    await fire()
    const claims = await take()
    const order = orderOf(place, T0 + 2 * MINUTE, { overlap: 'queue_one' })
    const held = await fireOne(engine(), order)
    expect([claims.length, held.outcome]).toEqual([2, 'held'])
    await finish(claims[0])
    expect(await take()).toEqual([])
    await finish(claims[1])
    expect((await take()).map(({ run }) => run.id)).toEqual([held.run])
  })

  test('what is held waits for those before it, not for those that came after, when the schedule lets them', async () => {
    const { place, fire } = await scheduled('queue_one')
    await fire()
    const held = await fire()
    expect(held.outcome).toBe('held')
    const order = orderOf(place, T0 + 2 * MINUTE, { overlap: 'allow' })
    expect((await fireOne(engine(), order)).outcome).toBe('started')
    const claims = await take()
    expect(claims).toHaveLength(2)
    await finish(claims[0])
    expect((await take()).map(({ run }) => run.id)).toEqual([held.run])
  })

  test('a run that is held goes with its stage: it is not let go by the end of those before it', async () => {
    const { place, fire } = await scheduled('queue_one')
    const first = await fire()
    const second = await fire()
    const woken: string[] = []
    const end = engine().runs.watchQueue((queue) => woken.push(queue))
    await engine().skills.deleteStage(place.tenant, place.stage.id, newNote(place.tenant, 'stage.delete'))
    end()
    expect(woken).toEqual([])
    expect([await status(place, first.run), await status(place, second.run)]).toEqual(['cancelled', 'cancelled'])
  })
}
