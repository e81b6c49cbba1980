import { expect, test } from 'vitest'
import type { Engine } from '../ports.ts'
import { LONG, NOTE, admit, newRun, settle } from './engine-fixtures.ts'
import { pausesOf } from './queue-fixtures.ts'

/** How what was paused comes back into the line. */
export function queueResumeContract(engine: () => Engine): void {
  const { settleTenant, pause, resume, stateOf } = pausesOf(engine)

  test('what was paused comes back behind those whose turn it is, not before them', async () => {
    const { runs } = engine()
    const place = await settleTenant()
    const foreign = await settleTenant()
    for (let i = 0; i < 5; i++) await admit(runs, place)
    await pause(place, null)
    for (let i = 0; i < 20; i++) await admit(runs, foreign)
    for (let i = 0; i < 10; i++) await runs.take('default', 1, LONG)
    await resume(place, null)
    const next: string[] = []
    for (let i = 0; i < 4; i++) next.push((await runs.take('default', 1, LONG))[0]!.run.tenant)
    expect(next.filter((tenant) => tenant === place.tenant)).toHaveLength(2)
  })

  test('however long the line is, it comes back in its order, and what came meanwhile behind it', async () => {
    const { runs } = engine()
    const place = await settleTenant()
    const other = await settle(engine(), place.tenant, 'other')
    const ids = await Promise.all(Array.from({ length: 1200 }, () => admit(runs, place)))
    const beside = await Promise.all(Array.from({ length: 600 }, () => admit(runs, other)))
    await pause(place, place.stage.id)
    expect(await stateOf(place)).toMatchObject({ waiting: 600, paused: 1200 })
    for (let i = 0; i < 3; i++) ids.push(await admit(runs, place))
    await resume(place, place.stage.id)
    expect(await stateOf(place)).toMatchObject({ waiting: 1803, paused: 0 })
    const order = (await runs.take('default', 2000, LONG)).map(({ run }) => run.id)
    expect(order.filter((id) => ids.includes(id))).toEqual(ids)
    expect(order.filter((id) => beside.includes(id))).toEqual(beside)
  }, 60_000)

  test('resuming what is not paused moves nothing', async () => {
    const { runs } = engine()
    const place = await settleTenant()
    const foreign = await settleTenant()
    const ids = [await admit(runs, place), await admit(runs, place), await admit(runs, place)]
    for (let i = 0; i < 4; i++) await admit(runs, foreign)
    const claims = await runs.take('default', 4, LONG)
    const back = claims.find(({ run }) => run.id === ids[0])!
    await runs.release(back.run.id, back.token)
    await resume(place, null)
    await resume(place, place.stage.id)
    expect((await runs.take('default', 2, LONG)).map(({ run }) => run.id)).toEqual([ids[0], ids[2]])
  })

  test('however many pause and resume at once, the last word holds', async () => {
    const { runs } = engine()
    const place = await settleTenant()
    await Promise.all(Array.from({ length: 700 }, () => admit(runs, place)))
    await Promise.all([pause(place, null), resume(place, null), pause(place, place.stage.id), resume(place, null)])
    expect(await stateOf(place)).toMatchObject({ waiting: 0, paused: 700 })
    await Promise.all([resume(place, place.stage.id), pause(place, null), resume(place, null)])
    expect(await stateOf(place)).toMatchObject({ waiting: 700, paused: 0 })
  }, 60_000)

  test('workers are told when something comes back, and only then', async () => {
    const { runs } = engine()
    const place = await settleTenant()
    await runs.admit(newRun(place), 'long', NOTE)
    await runs.admit(newRun(place), 'long', NOTE)
    const [claim] = await runs.take('long', 1, LONG)
    await pause(place, place.stage.id)
    await pause(place, null)
    const woken: string[] = []
    const end = runs.watchQueue((queue) => woken.push(queue))
    await runs.release(claim!.run.id, claim!.token)
    await resume(place, place.stage.id)
    expect(woken).toEqual([])
    await resume(place, null)
    expect(woken).toEqual(['long'])
    end()
  })
}
