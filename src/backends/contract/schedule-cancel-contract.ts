import { expect, test } from 'vitest'
import type { Schedule } from '../../model/schedules.ts'
import type { FireResult } from '../flow-ports.ts'
import type { Engine } from '../ports.ts'
import type { Claim } from '../run-ports.ts'
import { LONG, type Place, SUCCEEDED, settle } from './engine-fixtures.ts'
import { MINUTE, T0, fireOne, nextAt, orderOf, planned, putSchedule } from './schedule-fixtures.ts'

/** Schedules whose next run makes an end of those before it. */
export function scheduleCancelContract(engine: () => Engine): void {
  /** A place whose schedule has not fired yet, and what fires it minute by minute. */
  async function scheduled(overlap: Schedule['overlap']): Promise<{ place: Place; fire: () => Promise<FireResult> }> {
    const place = await settle(engine())
    await putSchedule(engine(), place, { overlap })
    let minute = 0
    return { place, fire: () => fireOne(engine(), orderOf(place, T0 + minute++ * MINUTE, { overlap })) }
  }
  const take = (): Promise<Claim[]> => engine().runs.take('default', 10, LONG)
  const status = async (place: Place, run: string | null) => (await engine().runs.find(place.tenant, run!))!.status

  test('cancel_other: what waits is cancelled at once, and the new one begins', async () => {
    const { place, fire } = await scheduled('cancel_other')
    const first = await fire()
    const second = await fire()
    expect(second).toMatchObject({ outcome: 'started', stopping: [] })
    expect(await status(place, first.run)).toBe('cancelled')
    expect((await take()).map(({ run }) => run.id)).toEqual([second.run])
  })

  test('cancel_other: what runs is asked to stop, and the newest waits for its end', async () => {
    const { place, fire } = await scheduled('cancel_other')
    const first = await fire()
    const [claim] = await take()
    const second = await fire()
    expect(second).toMatchObject({ outcome: 'held', stopping: [first.run] })
    const third = await fire()
    expect(third).toMatchObject({ outcome: 'held', stopping: [first.run] })
    expect(await status(place, second.run)).toBe('cancelled')
    expect(await take()).toEqual([])
    expect(await engine().runs.heartbeat([{ run: claim!.run.id, token: claim!.token }], LONG)).toEqual(['cancel'])
    await engine().runs.finish(claim!.run.id, claim!.token, { ...SUCCEEDED, status: 'cancelled', output: null })
    expect((await take()).map(({ run }) => run.id)).toEqual([third.run])
  })

  test('cancel_other: a worker that is killed before it stopped lets the new one go all the same', async () => {
    const { place, fire } = await scheduled('cancel_other')
    const first = await fire()
    await take()
    const second = await fire()
    await engine().runs.recover()
    const woken: string[] = []
    const end = engine().runs.watchQueue((queue) => woken.push(queue))
    // What was to stop is over when it would be taken; whoever takes is told that there is more.
    expect(await take()).toEqual([])
    end()
    expect(woken).toContain('default')
    expect((await take()).map(({ run }) => run.id)).toEqual([second.run])
    expect(await status(place, first.run)).toBe('cancelled')
  })

  test('cancel_other: a long line is cancelled in steps, after which the new run comes', async () => {
    const place = await settle(engine())
    await putSchedule(engine(), place)
    const before: string[] = []
    for (let minute = 0; minute < 45; minute++) {
      before.push((await fireOne(engine(), orderOf(place, T0 + minute * MINUTE))).run!)
    }
    const last = await fireOne(engine(), orderOf(place, T0 + 45 * MINUTE, { overlap: 'cancel_other' }))
    expect(last).toMatchObject({ outcome: 'held', stopping: [] })
    expect(new Set(await Promise.all(before.map((run) => status(place, run))))).toEqual(new Set(['cancelled']))
    expect((await take()).map(({ run }) => run.id)).toEqual([last.run])
  })

  test('a fire that fails at once is recorded as such, and cancels nothing', async () => {
    const { place, fire } = await scheduled('cancel_other')
    const first = await fire()
    await take()
    const refusal = { reason: 'input_invalid', error: { type: 'InputInvalid', message: 'No.' } } as const
    const begin = planned(place, T0 + MINUTE, { refusal })
    const order = orderOf(place, T0 + MINUTE, { begin, overlap: 'cancel_other', next: nextAt(T0 + 2 * MINUTE) })
    expect(await fireOne(engine(), order)).toMatchObject({ outcome: 'started', stopping: [] })
    expect(await status(place, begin.run.id)).toBe('failed')
    expect(await engine().runs.find(place.tenant, first.run!)).toMatchObject({
      status: 'running',
      cancel_requested: false,
    })
  })
}
