import { expect, test } from 'vitest'
import { newId } from '../../model/ids.ts'
import type { LogLine } from '../../model/runs.ts'
import type { Engine } from '../ports.ts'
import type { EndedRun } from '../run-ports.ts'
import { NOTE, LONG, SUCCEEDED, admit, settle } from './engine-fixtures.ts'

export function runEventsContract(engine: () => Engine): void {
  test('a run tells what happened to it, in order and without gaps', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const id = await admit(runs, place)
    const [claim] = await runs.take('default', 1, LONG)
    await runs.appendLogs(id, claim!.token, [line('one'), line('two')])
    await runs.appendLogs(id, claim!.token, [])
    const finished = await runs.finish(id, claim!.token, { ...SUCCEEDED, logs: [line('three')] })
    const events = await runs.events(place.tenant, id, 0, 100)
    expect(events.map(({ run, seq, type, data }) => ({ run, seq, type, data }))).toEqual([
      { run: id, seq: 1, type: 'status', data: { status: 'queued' } },
      { run: id, seq: 2, type: 'status', data: { status: 'running', attempt: 1 } },
      { run: id, seq: 3, type: 'log', data: { lines: [line('one'), line('two')] } },
      { run: id, seq: 4, type: 'log', data: { lines: [line('three')] } },
      {
        run: id,
        seq: 5,
        type: 'result',
        data: expect.objectContaining({
          status: 'succeeded',
          reason: null,
          error: null,
          output: { answer: 42 },
          queue_ms: claim!.run.queue_ms,
          start_ms: 1.25,
          execution_ms: 7.5,
          usage: SUCCEEDED.usage,
          finished_at: finished!.finished_at,
        }),
      },
    ])
  })

  test('events are read from where one left off', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const id = await admit(runs, place)
    const [claim] = await runs.take('default', 1, LONG)
    for (let i = 0; i < 5; i++) await runs.appendLogs(id, claim!.token, [line(String(i))])
    const seqs = async (after: number, limit: number): Promise<number[]> =>
      (await runs.events(place.tenant, id, after, limit)).map(({ seq }) => seq)
    expect(await seqs(0, 3)).toEqual([1, 2, 3])
    expect(await seqs(3, 100)).toEqual([4, 5, 6, 7])
    expect(await seqs(7, 100)).toEqual([])
    expect(await runs.events(newId('tenant'), id, 0, 100)).toEqual([])
  })

  test('numbers have no gaps however many write at once', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const ids = await Promise.all(Array.from({ length: 4 }, () => admit(runs, place)))
    const claims = await runs.take('default', 4, LONG)
    const writes = Array.from({ length: 80 }, (_, i) => {
      const { run, token } = claims[i % 4]!
      return runs.appendLogs(run.id, token, [line(String(i))])
    })
    expect(new Set(await Promise.all(writes))).toEqual(new Set([true]))
    for (const id of ids) {
      const events = await runs.events(place.tenant, id, 0, 100)
      expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 22 }, (_, i) => i + 1))
    }
  })

  test('a large output is in the run and not in the event', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const id = await admit(runs, place)
    const [claim] = await runs.take('default', 1, LONG)
    const text = 'x'.repeat(100_000)
    await runs.finish(id, claim!.token, { ...SUCCEEDED, output: JSON.stringify({ text }) })
    expect(await runs.find(place.tenant, id)).toMatchObject({ output: { text } })
    const result = (await runs.events(place.tenant, id, 0, 100)).at(-1)!
    expect(result.data).toMatchObject({ status: 'succeeded', output_truncated: true })
    expect(result.data).not.toHaveProperty('output')
  })

  test('a run that is handed back says so', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const id = await admit(runs, place)
    const [claim] = await runs.take('default', 1, LONG)
    await runs.release(id, claim!.token)
    await runs.cancel(place.tenant, id, NOTE)
    const events = await runs.events(place.tenant, id, 0, 100)
    expect(events.map(({ seq, data }) => [seq, (data as { status: string }).status])).toEqual([
      [1, 'queued'],
      [2, 'running'],
      [3, 'queued'],
      [4, 'cancelled'],
    ])
  })

  test('who watches a run is told of each of its changes, after they can be read', async () => {
    const { runs } = engine()
    const place = await settle(engine())
    const id = await admit(runs, place)
    const other = await admit(runs, place)
    let told = 0
    let ended: EndedRun | null = null
    const unwatch = runs.watchRun(id, (end) => {
      told++
      ended ??= end
    })
    const [claim, second] = await runs.take('default', 2, LONG)
    expect(told).toBe(1)
    await runs.appendLogs(id, claim!.token, [line('x')])
    expect(told).toBe(2)
    const seen = Promise.withResolvers<number>()
    const unwatchSeen = runs.watchRun(id, () => {
      void runs.events(place.tenant, id, 0, 100).then(({ length }) => seen.resolve(length), seen.reject)
    })
    expect(ended).toBeNull()
    const run = await runs.finish(id, claim!.token, SUCCEEDED)
    expect(await seen.promise).toBe(4)
    expect(told).toBe(3)
    // Of its end, what came of it is told along: whoever waits need not read it.
    const { input, output, ...row } = (await runs.find(place.tenant, id))!
    expect([run, ended]).toMatchObject([row, { run: row, output: JSON.stringify(output) }])
    expect(input).toEqual(claim!.run.input)
    unwatch()
    unwatchSeen()
    await runs.finish(other, second!.token, SUCCEEDED)
    expect(told).toBe(3)
  })
}

function line(text: string): LogLine {
  return { at: '2026-11-21T08:00:00.000Z', stream: 'stdout', text }
}
