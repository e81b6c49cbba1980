import { expect, test } from 'vitest'
import { newId } from '../../model/ids.ts'
import type { Engine } from '../ports.ts'
import type { Admission } from '../run-ports.ts'
import { NOTE, LONG, OVER, SUCCEEDED, admit, newNote, newRun, settle } from './engine-fixtures.ts'

export function runEndsContract(engine: () => Engine): void {
  test('a run is finished once, with all that is known of it', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const id = await admit(runs, place)
    const [claim] = await runs.take('default', 1, LONG)
    const ends = await Promise.all([1, 2, 3].map(() => runs.finish(id, claim!.token, SUCCEEDED)))
    expect(ends.filter((end) => end !== null)).toHaveLength(1)
    const { logs: _logs, ...facts } = SUCCEEDED
    expect(await runs.find(place.tenant, id)).toEqual({
      ...claim!.run,
      ...facts,
      output: { answer: 42 },
      finished_at: expect.any(String),
    })
    expect(await runs.take('default', 1, LONG)).toEqual([])
    expect(await runs.heartbeat([{ run: id, token: claim!.token }], LONG)).toEqual(['lost'])
    expect(await runs.appendLogs(id, claim!.token, [])).toBe(false)
  })

  test.each(['first', 'second'])(
    'what is at hand of a run in its %s attempt need not be read to end it',
    async (which) => {
      const { runs } = engine()
      const place = await settle(engine())
      const ended = []
      for (const atHand of [false, true]) {
        const id = await admit(runs, place)
        let [claim] = await runs.take('default', 1, LONG)
        if (which === 'second') {
          await runs.retry(id, claim!.token, { ...SUCCEEDED, status: 'failed', reason: 'timeout', output: null }, 0)
          claim = (await runs.take('default', 1, LONG))[0]
        }
        await runs.appendLogs(id, claim!.token, [{ at: '2026-01-01T00:00:00.000Z', stream: 'stdout', text: 'one' }])
        await runs.cancel(place.tenant, id, NOTE)
        const end = await runs.finish(id, claim!.token, SUCCEEDED, atHand ? claim!.run : undefined)
        const found = (await runs.find(place.tenant, id))!
        expect({ ...end, input: found.input, output: found.output }).toEqual(found)
        const events = await runs.events(place.tenant, id, 0, 100)
        const own = { id: '', created_at: '', started_at: '', finished_at: '', queue_ms: 0 }
        ended.push({
          run: { ...found, ...own },
          events: events.map(({ seq, type, data }) => ({
            seq,
            type,
            data: { ...(data as object), ...own, retry_at: '' },
          })),
        })
      }
      expect(ended[1]!.run).toEqual(ended[0]!.run)
      expect(ended[1]!.run).toMatchObject({ cancel_requested: true, billable_ms: which === 'first' ? 8 : 16 })
      expect(ended[1]!.events).toEqual(ended[0]!.events)
      const [used] = await engine().quotas.usage(place.tenant, {
        from: '2000-01-01',
        to: '2999-12-31',
        groupBy: 'stage',
      })
      expect(used).toMatchObject({ runs: 2, billable_ms: which === 'first' ? 16 : 32 })
    },
  )

  test('a failure keeps its reason and its error', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const id = await admit(runs, place)
    const [claim] = await runs.take('default', 1, LONG)
    const error = { type: 'ValueError', message: 'no "quotes"\n✓', stack: 'main.py:3' }
    const failed = { ...SUCCEEDED, status: 'failed', reason: 'runtime_error', error, output: null } as const
    await runs.finish(id, claim!.token, failed)
    expect(await runs.find(place.tenant, id)).toMatchObject({
      status: 'failed',
      reason: 'runtime_error',
      error,
      output: null,
    })
  })

  test('a queued run is cancelled at once', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const id = await admit(runs, place)
    const cancelled = await runs.cancel(place.tenant, id, NOTE)
    expect(cancelled).toMatchObject({ status: 'cancelled', attempt: 0, input: { text: 'größer than ✓' } })
    expect(await runs.find(place.tenant, id)).toEqual(cancelled)
    expect(await runs.take('default', 1, LONG)).toEqual([])
    expect(await runs.cancel(place.tenant, id, NOTE)).toEqual(cancelled)
  })

  test('a running run is asked to stop, and its worker says how it ended', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const id = await admit(runs, place)
    const [claim] = await runs.take('default', 1, LONG)
    expect(await runs.cancel(place.tenant, id, NOTE)).toMatchObject({ status: 'running', cancel_requested: true })
    await runs.finish(id, claim!.token, { ...SUCCEEDED, status: 'cancelled', output: null })
    expect(await runs.cancel(place.tenant, id, NOTE)).toMatchObject({ status: 'cancelled' })
  })

  test('a run that was to stop and lost its worker is cancelled, not started again', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const id = await admit(runs, place)
    await runs.take('default', 1, OVER)
    await runs.cancel(place.tenant, id, NOTE)
    expect(await runs.take('default', 1, LONG)).toEqual([])
    expect(await runs.find(place.tenant, id)).toMatchObject({ status: 'cancelled', attempt: 1, reason: null })
    expect((await runs.events(place.tenant, id, 0, 10)).at(-1)).toMatchObject({ type: 'result' })
  })

  test('however many wait on a stage that is deleted: all are cancelled, and what runs is asked to stop', async () => {
    const { runs, skills } = engine()
    const place = await settle(engine())
    const running = await admit(runs, place)
    const [claim] = await runs.take('default', 1, LONG)
    const ids = await Promise.all(Array.from({ length: 70 }, () => admit(runs, place)))
    await skills.deleteStage(place.tenant, place.stage.id, newNote(place.tenant, 'stage.delete'))
    const { items } = await runs.list(place.tenant, { limit: 100, status: 'cancelled' })
    expect(items.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
    expect(await runs.heartbeat([{ run: running, token: claim!.token }], LONG)).toEqual(['cancel'])
    expect(await runs.take('default', 1, LONG)).toEqual([])
  })

  test('a terminal run stays as it is, an unknown or foreign one is none', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const id = await admit(runs, place)
    expect(await runs.cancel(newId('tenant'), id, NOTE)).toBeNull()
    expect(await runs.find(newId('tenant'), id)).toBeNull()
    expect(await runs.find(place.tenant, id)).toMatchObject({ status: 'queued', cancel_requested: false })
    expect(await runs.cancel(place.tenant, newId('run'), NOTE)).toBeNull()
    const [claim] = await runs.take('default', 1, LONG)
    await runs.finish(id, claim!.token, SUCCEEDED)
    const before = await runs.find(place.tenant, id)
    expect(await runs.cancel(place.tenant, id, NOTE)).toEqual(before)
  })

  test('cancelling and taking at once: the run is cancelled, or its worker is told', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    for (let i = 0; i < 20; i++) {
      const id = await admit(runs, place)
      const acts = [() => runs.take('default', 1, LONG), () => runs.cancel(place.tenant, id, NOTE)]
      if (i % 2 === 1) acts.reverse()
      await Promise.all(acts.map((act) => act()))
      const run = await runs.find(place.tenant, id)
      expect(run!.cancel_requested).toBe(true)
      expect(run!.status).toBe(i % 2 === 1 ? 'cancelled' : 'running')
    }
  })

  test('the same key and request give the first run, another request a mismatch', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const key = { key: 'k', fingerprint: 'f', expires_at: '2999-01-01T00:00:00.000Z' }
    const admissions = await Promise.all(
      Array.from({ length: 20 }, () => runs.admit(newRun(place), 'default', NOTE, { idempotency: key })),
    )
    const first = admissions.filter(({ outcome }) => outcome === 'admitted')
    expect(first).toHaveLength(1)
    const id = runOf(first[0]!)
    expect(new Set(admissions.map(runOf))).toEqual(new Set([id]))
    expect((await runs.list(place.tenant, { limit: 10 })).items).toHaveLength(1)

    const [claim] = await runs.take('default', 1, LONG)
    await runs.finish(id, claim!.token, SUCCEEDED)
    const repeated = await runs.admit(newRun(place), 'default', NOTE, { idempotency: key })
    expect(repeated).toMatchObject({ outcome: 'repeated', run: { id, status: 'succeeded', output: { answer: 42 } } })
    const other = await runs.admit(newRun(place), 'default', NOTE, { idempotency: { ...key, fingerprint: 'g' } })
    expect(other).toEqual({ outcome: 'mismatch' })
    const foreign = await settle(engine())
    expect(await runs.admit(newRun(foreign), 'default', NOTE, { idempotency: key })).toMatchObject({
      outcome: 'admitted',
    })
  })

  test('a key that has expired is as good as new', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const old = { key: 'k', fingerprint: 'f', expires_at: '2020-01-01T00:00:00.000Z' }
    await runs.admit(newRun(place, { created_at: '2019-12-31T00:00:00.000Z' }), 'default', NOTE, { idempotency: old })
    const fresh = { key: 'k', fingerprint: 'g', expires_at: '2999-01-01T00:00:00.000Z' }
    const second = await runs.admit(newRun(place), 'default', NOTE, { idempotency: fresh })
    expect(second.outcome).toBe('admitted')
    expect(runOf(await runs.admit(newRun(place), 'default', NOTE, { idempotency: fresh }))).toBe(runOf(second))
  })
}

function runOf(admission: Admission): string {
  return admission.outcome === 'mismatch' ? '' : admission.run.id
}
