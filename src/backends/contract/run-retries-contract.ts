import { expect, test } from 'vitest'
import { LIMITS } from '../../model/sizes.ts'
import type { Engine } from '../ports.ts'
import type { Claim, Ending } from '../run-ports.ts'
import { LONG, NOTE, OVER, SUCCEEDED, admit, newNote, newRun, settle } from './engine-fixtures.ts'

const FAILED: Ending = {
  ...SUCCEEDED,
  status: 'failed',
  reason: 'runtime_error',
  error: { type: 'RuntimeError', message: 'not today' },
  output: null,
  billable_ms: 100,
}

/** Runs that failed: tried again, or dead letters. */
export function runRetriesContract(engine: () => Engine): void {
  const take = async (): Promise<Claim> => (await engine().runs.take('default', 1, LONG))[0]!

  test('a run that is tried again waits as long as it is told to, and says why', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const id = await admit(runs, place)
    const first = await take()
    const logs = [{ at: '2026-01-01T00:00:00.000Z', stream: 'stdout' as const, text: 'tried' }]
    expect(await runs.retry(id, first.token, { ...FAILED, logs }, LONG)).toBe(true)
    expect(await runs.find(place.tenant, id)).toMatchObject({ status: 'queued', finished_at: null, attempt: 1 })
    expect(await runs.take('default', 1, LONG)).toEqual([])
    const due = (await runs.nextVisible('default'))!
    expect(due).toBeGreaterThan(Date.now() + LONG / 2)
    const events = await runs.events(place.tenant, id, 2, 10)
    expect(events.map(({ seq, type }) => [seq, type])).toEqual([
      [3, 'log'],
      [4, 'status'],
    ])
    expect(events[1]!.data).toEqual({
      status: 'queued',
      reason: 'retry',
      attempt: 1,
      failure: 'runtime_error',
      error: FAILED.error,
      retry_at: new Date(due).toISOString(),
    })
  })

  test('who retried a run can write nothing more to it; the next execution is another attempt', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const id = await admit(runs, place)
    const first = await take()
    await runs.retry(id, first.token, FAILED, 0)
    expect(await runs.finish(id, first.token, SUCCEEDED)).toBeNull()
    expect(await runs.retry(id, first.token, FAILED, 0)).toBe(false)
    const second = await take()
    expect(second).toMatchObject({ run: { id, attempt: 2 }, retries: 1 })
    expect(await runs.finish(id, second.token, SUCCEEDED)).toMatchObject({ status: 'succeeded', attempt: 2 })
  })

  test('what all attempts took is billed; the run is counted once', async () => {
    const { runs, quotas } = engine()
    const place = await settle(engine())
    const { tenant } = place
    await quotas.putQuota(
      tenant,
      { kind: 'tenant' },
      { runs_per_day: 10, minutes_per_day: 5 },
      newNote(tenant, 'quota.update'),
    )
    const id = await admit(runs, place)
    await runs.retry(id, (await take()).token, FAILED, 0)
    await runs.retry(id, (await take()).token, FAILED, 0)
    await runs.finish(id, (await take()).token, { ...SUCCEEDED, billable_ms: 7 })
    expect(await runs.find(tenant, id)).toMatchObject({ billable_ms: 207, attempt: 3 })
    const [usage] = await quotas.usage(tenant, { from: '2000-01-01', to: '2999-12-31', groupBy: 'skill' })
    expect(usage).toMatchObject({ runs: 1, succeeded: 1, failed: 0, billable_ms: 207 })
    const [state] = await quotas.quotaStates(tenant)
    expect(state!.caps).toMatchObject([
      { cap: 'runs_per_day', used: 1 },
      { cap: 'minutes_per_day', used: 0.003 },
    ])
  })

  test('a run that waits for its next attempt keeps its place among those that are begun', async () => {
    const { runs, quotas } = engine()
    const place = await settle(engine())
    const { tenant } = place
    await quotas.putQuota(tenant, { kind: 'tenant' }, { concurrent_runs: 1 }, newNote(tenant, 'quota.update'))
    const id = await admit(runs, place)
    await runs.retry(id, (await take()).token, FAILED, 0)
    const second = await admit(runs, place)
    expect((await runs.take('default', 2, LONG)).map(({ run }) => run.id)).toEqual([id])
    expect(await runs.find(tenant, second)).toMatchObject({ status: 'throttled', throttle: { cap: 'concurrent_runs' } })
  })

  test('retries are not lost workers: only those run out', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const id = await admit(runs, place)
    for (let i = 0; i < 5; i++) await runs.retry(id, (await take()).token, FAILED, 0)
    for (let i = 0; i < LIMITS.attempts; i++) expect((await runs.take('default', 1, OVER))[0]!.run.id).toBe(id)
    expect(await runs.take('default', 1, LONG)).toEqual([])
    expect(await runs.find(place.tenant, id)).toMatchObject({
      status: 'failed',
      reason: 'worker_lost',
      error: { message: `The worker was lost ${LIMITS.attempts} times while it executed this run.` },
      dead_letter: true,
    })
  })

  test('who cancels wants no further attempt, before it and while it waits', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const [asked, waiting] = [await admit(runs, place), await admit(runs, place)]
    const [first, second] = [await take(), await take()]
    await runs.cancel(place.tenant, asked, NOTE)
    expect(await runs.retry(asked, first.token, FAILED, 0)).toBe(true)
    expect(await runs.find(place.tenant, asked)).toMatchObject({ status: 'cancelled', reason: null, billable_ms: 100 })
    await runs.retry(waiting, second.token, FAILED, LONG)
    await runs.cancel(place.tenant, waiting, NOTE)
    expect(await runs.find(place.tenant, waiting)).toMatchObject({ status: 'cancelled', billable_ms: 100 })
    for (const id of [asked, waiting]) {
      const events = await runs.events(place.tenant, id, 0, 100)
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1))
      expect(events.at(-1)!.type).toBe('result')
    }
  })

  test('dead letters are listed until they are dismissed or replayed, in their tenant only', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const foreign = await settle(engine())
    const dead = await admit(runs, place)
    await runs.finish(dead, (await take()).token, { ...FAILED, dead_letter: true })
    const again = await admit(runs, place)
    await runs.finish(again, (await take()).token, { ...FAILED, dead_letter: true })
    await runs.finish(await admit(runs, place), (await take()).token, FAILED)
    const letters = async (tenant: string): Promise<string[]> =>
      (await runs.list(tenant, { limit: 10, deadLetters: true })).items.map(({ id }) => id)
    expect(await letters(place.tenant)).toEqual([again, dead].toSorted().toReversed())
    expect(await letters(foreign.tenant)).toEqual([])

    const note = newNote(place.tenant, 'run.dismiss', dead)
    expect(await runs.dismiss(foreign.tenant, dead, note)).toBeNull()
    expect(await runs.dismiss(place.tenant, dead, note)).toMatchObject({
      id: dead,
      dead_letter: false,
      status: 'failed',
    })
    expect(await runs.dismiss(place.tenant, dead, note)).toBeNull()
    expect(await letters(place.tenant)).toEqual([again])
    await runs.admit(newRun(foreign, { replay_of: again }), 'default', NOTE)
    expect(await letters(place.tenant)).toEqual([again])
    const replays = await Promise.all(
      [1, 2].map(() => runs.admit(newRun(place, { replay_of: again }), 'default', NOTE)),
    )
    expect(replays.map(({ outcome }) => outcome)).toEqual(['admitted', 'admitted'])
    expect(await letters(place.tenant)).toEqual([])
  })
}
