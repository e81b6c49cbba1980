import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LONG, SUCCEEDED, admit, newNote, newTenant, settle } from '../backends/contract/engine-fixtures.ts'
import { DATABASE_FILE } from '../backends/sql/sql-engine.ts'
import { newId } from '../model/ids.ts'
import { now } from '../model/json.ts'
import { BackedUpState } from './fixtures/backed-up-state.ts'
import { type Swept, type SweeperParts, createSweeper } from './sweeper.ts'

const DAY_MS = 86_400_000

let state: BackedUpState
let told: Swept[]
let faults: string[]
beforeEach(async () => {
  state = await BackedUpState.make()
  told = []
  faults = []
})
afterEach(() => state.remove())

const sweeper = (change: Partial<SweeperParts> = {}) =>
  createSweeper({
    store: state.engine.upkeep,
    blobs: state.blobs.shelves,
    onSwept: (swept) => told.push(swept),
    onError: (error, doing) => void faults.push(`${doing}: ${String(error)}`),
    ...change,
  })

/** A tenant with two runs that began so long ago: one ended then, one waits. */
async function tenantWithRuns(days: number): Promise<{ tenant: string; over: string; waiting: string }> {
  const { tenant, key, hash } = newTenant()
  await state.engine.access.createTenant(tenant, key, hash, null)
  const place = await settle(state.engine, tenant.id)
  const at = Date.now() - days * DAY_MS
  const over = await admit(state.engine.runs, place, { id: newId('run', at), created_at: now(at) })
  // Those of other tenants may come first.
  for (const { run, token } of await state.engine.runs.take('default', 10, LONG)) {
    if (run.id === over) await state.engine.runs.finish(over, token, SUCCEEDED)
    else await state.engine.runs.release(run.id, token)
  }
  onDisk(`UPDATE runs SET finished_at = '${now(at)}' WHERE id = '${over}'`)
  return { tenant: tenant.id, over, waiting: await admit(state.engine.runs, place, { id: newId('run', at) }) }
}

function onDisk(sql: string): void {
  const disk = new DatabaseSync(join(state.data, DATABASE_FILE))
  disk.exec(sql)
  disk.close()
}

test('each tenant keeps what is over for as many days as it is told, and what is not over for ever', async () => {
  const [first, second, third] = [await tenantWithRuns(31), await tenantWithRuns(31), await tenantWithRuns(29)]
  await state.engine.access.updateTenant(second.tenant, { retention_days: 40 }, newNote(second.tenant, 'tenant.update'))
  expect(await sweeper().sweep()).toEqual({ runs: 1 })
  const kept = async ({ tenant, over, waiting }: typeof first) => [
    (await state.engine.runs.find(tenant, over)) !== null,
    (await state.engine.runs.find(tenant, waiting)) !== null,
  ]
  expect(await kept(first)).toEqual([false, true])
  expect(await kept(second)).toEqual([true, true])
  expect(await kept(third)).toEqual([true, true])
  await state.engine.access.updateTenant(third.tenant, { retention_days: 7 }, newNote(third.tenant, 'tenant.update'))
  expect(await sweeper().sweep()).toEqual({ runs: 1 })
  expect(await kept(third)).toEqual([false, true])
  expect(told).toEqual([{ runs: 1 }, { runs: 1 }])
  expect(faults).toEqual([])
})

test('what a tenant did is known and proved after its runs are gone', async () => {
  const { tenant } = await tenantWithRuns(31)
  const [before, head] = [await state.engine.audit.read(tenant, 0, 100), await state.engine.audit.head(tenant)]
  const usage = { from: '2000-01-01', to: '2999-01-01', groupBy: 'day' } as const
  const used = await state.engine.quotas.usage(tenant, usage)
  expect(used).toHaveLength(1)
  await sweeper().sweep()
  expect([await state.engine.audit.read(tenant, 0, 100), await state.engine.audit.head(tenant)]).toEqual([before, head])
  expect(await state.engine.quotas.usage(tenant, usage)).toEqual(used)
})

test('what cannot be removed of one tenant is told and keeps nothing of others', async () => {
  const [first, second] = [await tenantWithRuns(31), await tenantWithRuns(31)]
  await tenantWithRuns(1)
  onDisk(
    `CREATE TRIGGER kept BEFORE DELETE ON runs WHEN OLD.tenant = '${first.tenant}' BEGIN SELECT RAISE(ABORT, 'not this one'); END`,
  )
  expect(await sweeper().sweep()).toEqual({ runs: 1 })
  expect(await state.engine.runs.find(second.tenant, second.over)).toBeNull()
  expect(faults).toEqual([`sweeping runs of ${first.tenant}: Error: not this one`])
})

test('it begins by itself, and begins nothing after it was stopped', async () => {
  await state.put('of a crash')
  const swept = Promise.withResolvers<Swept>()
  const one = sweeper({ firstMs: 1, everyMs: 1, graceMs: -1000, onSwept: swept.resolve })
  one.start()
  expect(await swept.promise).toEqual({ blobs: 1 })
  await one.stop()
  await state.put('of another')
  expect(await one.sweep()).toEqual({})
  await one.stop()
})

test('others have their turn between any two steps while thousands of runs are removed', async () => {
  const { tenant } = await tenantWithRuns(1)
  const first = newId('run', Date.now() - 40 * DAY_MS).slice(0, 20)
  onDisk(`
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
    INSERT INTO runs (id, tenant, skill, stage, status, attempt, cancel_requested, created_by, created_at, finished_at, seq)
      SELECT '${first}' || printf('%010d', i), '${tenant}', 'skl', 'stg', 'succeeded', 1, 0, 'key', '2020', '2020-01-01T00:00:00.000Z', 4 FROM n;
    INSERT INTO run_inputs (run, body) SELECT id, hex(randomblob(20000)) FROM runs WHERE skill = 'skl';
    INSERT INTO events (tenant, run, seq, type, at, data)
      SELECT runs.tenant, runs.id, seqs.value, 'log', '2020', hex(randomblob(2000)) FROM runs, json_each('[1,2,3,4]') AS seqs WHERE skill = 'skl'`)
  await tenantWithRuns(1)
  let [over, checks] = [false, 0]
  /** How many others had had their turn when each step that removed something ended. */
  const turns: number[] = []
  const sweep: typeof state.engine.upkeep.sweep = async (...step) => {
    const done = await state.engine.upkeep.sweep(...step)
    if (done.removed > 0) turns.push(checks)
    return done
  }
  const sweeping = sweeper({ store: { ...state.engine.upkeep, sweep } }).sweep()
  void sweeping.then(() => (over = true))
  while (!over) {
    await state.engine.check()
    checks++
  }
  expect(await sweeping).toEqual({ runs: 3000 })
  expect(turns.length).toBeGreaterThanOrEqual(15)
  expect(turns.every((count, i) => i === 0 || count > turns[i - 1]!)).toBe(true)
})
