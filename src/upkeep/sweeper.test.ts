import { createHash } from 'node:crypto'
import { mkdtemp, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  LONG,
  SUCCEEDED,
  admit,
  newNote,
  newPackage,
  newTenant,
  newUpload,
  settle,
} from '../backends/contract/engine-fixtures.ts'
import { type DiskBlobs, openDiskBlobs } from '../backends/disk/disk-blobs.ts'
import { openMasterKeys } from '../backends/disk/master-key.ts'
import { DATABASE_FILE, type SqlEngine, openSqliteEngine } from '../backends/sql/sql-engine.ts'
import { newId } from '../model/ids.ts'
import { now } from '../model/json.ts'
import { type Swept, type SweeperParts, createSweeper } from './sweeper.ts'

const DAY_MS = 86_400_000

let folder: string
let engine: SqlEngine
let blobs: DiskBlobs
let told: Swept[]
let faults: string[]
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-sweeper-'))
  engine = await openSqliteEngine({ folder })
  blobs = await openDiskBlobs({
    folder: join(folder, 'blobs'),
    secretFile: join(folder, 'upload.key'),
    baseUrl: () => 'http://127.0.0.1/',
  })
  told = []
  faults = []
})
afterEach(async () => {
  await blobs.close()
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})

const sweeper = (change: Partial<SweeperParts> = {}) =>
  createSweeper({
    store: engine.upkeep,
    blobs: blobs.shelves,
    onSwept: (swept) => told.push(swept),
    onError: (error, doing) => void faults.push(`${doing}: ${String(error)}`),
    ...change,
  })

const put = async (text: string): Promise<string> => (await blobs.put(bytes(text), { maxBytes: 100 })).sha256
async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

/** A tenant with two runs that began so long ago: one ended then, one waits. */
async function tenantWithRuns(days: number): Promise<{ tenant: string; over: string; waiting: string }> {
  const { tenant, key, hash } = newTenant()
  await engine.access.createTenant(tenant, key, hash, null)
  const place = await settle(engine, tenant.id)
  const at = Date.now() - days * DAY_MS
  const over = await admit(engine.runs, place, { id: newId('run', at), created_at: now(at) })
  // Those of other tenants may come first.
  for (const { run, token } of await engine.runs.take('default', 10, LONG)) {
    if (run.id === over) await engine.runs.finish(over, token, SUCCEEDED)
    else await engine.runs.release(run.id, token)
  }
  onDisk(`UPDATE runs SET finished_at = '${now(at)}' WHERE id = '${over}'`)
  return { tenant: tenant.id, over, waiting: await admit(engine.runs, place, { id: newId('run', at) }) }
}

function onDisk(sql: string): void {
  const disk = new DatabaseSync(join(folder, DATABASE_FILE))
  disk.exec(sql)
  disk.close()
}

test('each tenant keeps what is over for as many days as it is told, and what is not over for ever', async () => {
  const [first, second, third] = [await tenantWithRuns(31), await tenantWithRuns(31), await tenantWithRuns(29)]
  await engine.access.updateTenant(second.tenant, { retention_days: 40 }, newNote(second.tenant, 'tenant.update'))
  expect(await sweeper().sweep()).toEqual({ runs: 1 })
  const kept = async ({ tenant, over, waiting }: typeof first) => [
    (await engine.runs.find(tenant, over)) !== null,
    (await engine.runs.find(tenant, waiting)) !== null,
  ]
  expect(await kept(first)).toEqual([false, true])
  expect(await kept(second)).toEqual([true, true])
  expect(await kept(third)).toEqual([true, true])
  await engine.access.updateTenant(third.tenant, { retention_days: 7 }, newNote(third.tenant, 'tenant.update'))
  expect(await sweeper().sweep()).toEqual({ runs: 1 })
  expect(await kept(third)).toEqual([false, true])
  expect(told).toEqual([{ runs: 1 }, { runs: 1 }])
  expect(faults).toEqual([])
})

test('what a tenant did is known and proved after its runs are gone', async () => {
  const { tenant } = await tenantWithRuns(31)
  const [before, head] = [await engine.audit.read(tenant, 0, 100), await engine.audit.head(tenant)]
  const usage = { from: '2000-01-01', to: '2999-01-01', groupBy: 'day' } as const
  const used = await engine.quotas.usage(tenant, usage)
  expect(used).toHaveLength(1)
  await sweeper().sweep()
  expect([await engine.audit.read(tenant, 0, 100), await engine.audit.head(tenant)]).toEqual([before, head])
  expect(await engine.quotas.usage(tenant, usage)).toEqual(used)
})

test('blobs that nothing refers to are removed, also files that no row ever knew, once they are old enough', async () => {
  const [used, bundle, orphan] = [await put('package'), await put('bundle'), await put('of a crash')]
  const { stage } = await settle(engine)
  const upload = newUpload(stage, { sha256: used })
  await engine.skills.createUpload(upload, newNote(stage.tenant, 'upload.create'))
  await engine.skills.receiveUpload(upload.id, now(), newNote(stage.tenant, 'upload.receive'))
  const package_ = { ...newPackage('sha256:1'), archive_blob: used, bundle_blob: bundle }
  await engine.skills.finishUpload(upload.id, { findings: [], package: package_, at: now() })
  expect(await sweeper().sweep()).toEqual({})
  expect(await sweeper({ graceMs: -1000 }).sweep()).toEqual({ blobs: 1 })
  expect(await Promise.all([used, bundle, orphan].map((blob) => blobs.has(blob)))).toEqual([true, true, false])
})

test('while blobs are held none is removed; afterwards they are', async () => {
  await put('of a crash')
  const one = sweeper({ graceMs: -1000 })
  const releases = [await one.hold(), await one.hold()]
  expect(await one.sweep()).toEqual({})
  releases[0]!()
  releases[0]!()
  expect(await one.sweep()).toEqual({})
  releases[1]!()
  expect(await one.sweep()).toEqual({ blobs: 1 })
})

test('a real upload of the same bytes, at whatever moment of a sweep, finds its blob', async () => {
  const { stage } = await settle(engine)
  const sha256 = createHash('sha256').update('the same').digest('hex')
  const path = join(folder, 'blobs', sha256.slice(0, 2), sha256.slice(2))
  await put('the same')
  const one = sweeper({ graceMs: 60_000 })
  let removed = 0
  for (let i = 0; i < 40; i++) {
    if (await blobs.has(sha256)) await utimes(path, 1, 1)
    const upload = newUpload(stage, { sha256 })
    await engine.skills.createUpload(upload, newNote(stage.tenant, 'upload.create'))
    const receive = async (): Promise<void> => {
      for (let turn = 0; turn < i; turn++) await new Promise((resolve) => setImmediate(resolve))
      await put('the same')
      await engine.skills.receiveUpload(upload.id, now(), newNote(stage.tenant, 'upload.receive'))
    }
    const [swept] = await Promise.all([one.sweep(), receive()])
    removed += swept.blobs ?? 0
    expect(await blobs.has(sha256)).toBe(true)
    await engine.skills.finishUpload(upload.id, { findings: [], package: null, at: now() })
  }
  expect(removed).toBeGreaterThan(0)
})

test('a value that no secret points at is removed when it was so for long enough', async () => {
  const vault = engine.vault(await openMasterKeys({ dataDir: folder }))
  await vault.put('left', 1, 'by a crash')
  const patient = sweeper()
  expect(await patient.sweep()).toEqual({})
  expect(await patient.sweep()).toEqual({})
  const hasty = sweeper({ graceMs: 0 })
  expect(await hasty.sweep()).toEqual({})
  expect(await hasty.sweep()).toEqual({ secrets: 1 })
  await expect(vault.get('left', 1)).rejects.toThrow('no revision 1')
})

test('what cannot be removed of one tenant is told and keeps nothing of others', async () => {
  const [first, second] = [await tenantWithRuns(31), await tenantWithRuns(31)]
  await tenantWithRuns(1)
  onDisk(
    `CREATE TRIGGER kept BEFORE DELETE ON runs WHEN OLD.tenant = '${first.tenant}' BEGIN SELECT RAISE(ABORT, 'not this one'); END`,
  )
  expect(await sweeper().sweep()).toEqual({ runs: 1 })
  expect(await engine.runs.find(second.tenant, second.over)).toBeNull()
  expect(faults).toEqual([`sweeping runs of ${first.tenant}: Error: not this one`])
})

test('it begins by itself, and begins nothing after it was stopped', async () => {
  await put('of a crash')
  const swept = Promise.withResolvers<Swept>()
  const one = sweeper({ firstMs: 1, everyMs: 1, graceMs: -1000, onSwept: swept.resolve })
  one.start()
  expect(await swept.promise).toEqual({ blobs: 1 })
  await one.stop()
  await put('of another')
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
  const sweep: typeof engine.upkeep.sweep = async (...step) => {
    const done = await engine.upkeep.sweep(...step)
    if (done.removed > 0) turns.push(checks)
    return done
  }
  const sweeping = sweeper({ store: { ...engine.upkeep, sweep } }).sweep()
  void sweeping.then(() => (over = true))
  while (!over) {
    await engine.check()
    checks++
  }
  expect(await sweeping).toEqual({ runs: 3000 })
  expect(turns.length).toBeGreaterThanOrEqual(15)
  expect(turns.every((count, i) => i === 0 || count > turns[i - 1]!)).toBe(true)
})
