import { expect, test } from 'vitest'
import type { Engine } from '../ports.ts'
import type { Claim } from '../run-ports.ts'
import { LONG, NOTE, OVER, SUCCEEDED, newRun, settle } from './engine-fixtures.ts'
import { cap, usedOf } from './quota-fixtures.ts'

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

/** Runs that begin with their admission, because there is a place for them. */
export function runBeginContract(engine: () => Engine): void {
  test('a run that nobody is before begins with its admission, as if it had waited and been taken', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const waited = newRun(place)
    await runs.admit(waited, 'default', NOTE, { trace: TRACE })
    const [taken] = await runs.take('default', 1, LONG)

    const run = newRun(place)
    const begun: Claim[] = []
    const take = { leaseMs: LONG, begin: (claims: readonly Claim[]) => void begun.push(...claims) }
    const admission = await runs.admit(run, 'default', NOTE, { take, trace: TRACE })
    expect(admission).toEqual({ outcome: 'admitted', run, taken: begun })
    const { id, created_at, started_at } = begun[0]!.run
    expect(begun).toEqual([
      { ...taken, run: { ...taken!.run, id: run.id, created_at, started_at, queue_ms: expect.any(Number) } },
    ])
    expect([id, created_at]).toEqual([run.id, run.created_at])
    expect(await runs.find(place.tenant, run.id)).toEqual(begun[0]!.run)
    const eventsOf = async (of: string): Promise<unknown[]> =>
      (await runs.events(place.tenant, of, 0, 10)).map(({ seq, type, data }) => ({ seq, type, data }))
    expect(await eventsOf(run.id)).toEqual(await eventsOf(waited.id))
    expect(await runs.take('default', 10, LONG)).toEqual([])
    expect(await runs.finish(run.id, begun[0]!.token + 1, SUCCEEDED)).toBeNull()
    expect(await runs.finish(run.id, begun[0]!.token, SUCCEEDED)).toMatchObject({ status: 'succeeded' })
  })

  test('a run that began with its admission is taken by another when its lease ran out', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const run = newRun(place)
    await runs.admit(run, 'default', NOTE, { take: { leaseMs: OVER } })
    // Admitting looks for what is due, too: it is the turn of the lost one.
    const other = await runs.admit(newRun(place), 'default', NOTE, { take: { leaseMs: LONG } })
    expect(other).toMatchObject({ taken: [{ run: { id: run.id, attempt: 2 }, token: 2 }] })
    expect(await runs.finish(run.id, 1, SUCCEEDED)).toBeNull()
  })

  test('what comes back to the line while another is begun is told of', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const retried = newRun(place)
    await runs.admit(retried, 'default', NOTE, { take: { leaseMs: LONG } })
    await runs.retry(retried.id, 1, { ...SUCCEEDED, status: 'failed', reason: 'timeout', output: null }, 0)
    const woken: string[] = []
    const end = runs.watchQueue((queue) => woken.push(queue))
    const next = newRun(place)
    expect(await runs.admit(next, 'default', NOTE, { take: { leaseMs: LONG } })).toMatchObject({
      taken: [{ run: { id: next.id } }],
    })
    end()
    expect(woken).toEqual(['default'])
    expect((await runs.take('default', 10, LONG)).map(({ run }) => run.id)).toEqual([retried.id])
  })

  test('a run over a cap does not begin, and counts as one that was refused', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    await cap(engine(), place.tenant, { runs_per_day: 1 })
    const admit = () => runs.admit(newRun(place), 'default', NOTE, { take: { leaseMs: LONG } })
    expect(await admit()).toMatchObject({ taken: [{ run: { status: 'running' } }] })
    const refused = await admit()
    expect(refused).toMatchObject({ outcome: 'admitted', taken: [] })
    const { items } = await runs.list(place.tenant, { limit: 10 })
    expect(items.map(({ status }) => status)).toEqual(['throttled', 'running'])
    expect(await usedOf(engine(), place.tenant)).toMatchObject({ runs_per_day: 1 })
  })
}
