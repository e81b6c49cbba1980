import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { SUCCEEDED, newNote, newRun, settle } from '../backends/contract/engine-fixtures.ts'
import { type SqlEngine, openSqliteEngine } from '../backends/sql/sql-engine.ts'
import type { Run } from '../model/runs.ts'
import type { Execute } from './execute.ts'
import { createRunWorker } from './worker.ts'

let folder: string
let engine: SqlEngine
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-worker-'))
  engine = await openSqliteEngine({ folder })
})
afterEach(async () => {
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})

test('an attempt that begins before the one before it is put away can be cancelled, and is waited for', async () => {
  const [place, elsewhere] = [await settle(engine), await settle(engine)]
  const [run, other] = [newRun(place), newRun(elsewhere)]
  const failed = { ...SUCCEEDED, status: 'failed', reason: 'timeout', output: null } as const
  const second = Promise.withResolvers<AbortSignal>()
  const end = Promise.withResolvers<void>()
  const execute: Execute = async (claim, signal, performed) => {
    if (claim.run.attempt === 2) {
      second.resolve(signal)
      await end.promise
      await engine.runs.finish(run.id, claim.token, SUCCEEDED)
      return
    }
    // Both are written together: what is tried again at once is taken with the admission of another tenant's run.
    const written = engine.runs.retry(run.id, claim.token, failed, 0)
    performed()
    await admit(other)
    await written
  }
  const onError = vi.fn<(error: unknown) => void>(second.reject)
  const worker = createRunWorker(engine, execute, { concurrency: { default: 1 }, onError })
  const admit = async (wanted: Run): Promise<void> => {
    const { leaseMs, fill: begin } = worker.offer('default')!
    await engine.runs.admit(wanted, 'default', newNote(wanted.tenant, 'run.invoke'), { take: { leaseMs, begin } })
  }
  worker.start()
  // Transactions are made in their order: after this one the worker knows that nothing waits, and has its place free.
  await engine.runs.take('long', 1, 60_000)
  await admit(run)
  const signal = await second.promise
  // After this one the first attempt is over.
  await engine.runs.take('long', 1, 60_000)
  worker.cancel(run.id)
  expect(signal.reason).toBe('cancelled')
  let stopped = false
  const stopping = worker.stop().then(() => (stopped = true))
  await engine.runs.take('long', 1, 60_000)
  expect(stopped).toBe(false)
  end.resolve()
  await stopping
  expect(onError).not.toHaveBeenCalled()
  expect(await engine.runs.find(run.tenant, run.id)).toMatchObject({ status: 'succeeded', attempt: 2 })
  expect(await engine.runs.find(other.tenant, other.id)).toMatchObject({ status: 'queued', attempt: 0 })
})
