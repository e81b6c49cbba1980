import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { now } from '../../model/json.ts'
import { LONG, NOTE, SUCCEEDED, admit, newNote, newRun, settle } from '../contract/engine-fixtures.ts'
import { openMasterKeys } from '../disk/master-key.ts'
import type { TenantSweep } from '../upkeep-ports.ts'
import { DATABASE_FILE, type SqlEngine, openSqliteEngine } from './sql-engine.ts'

const DAY_MS = 86_400_000
const later = (): number => Date.now() + 60_000

let folder: string
let engine: SqlEngine
let disk: DatabaseSync
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-upkeep-'))
  engine = await openSqliteEngine({ folder })
  disk = new DatabaseSync(join(folder, DATABASE_FILE))
})
afterEach(async () => {
  disk.close()
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})

const removed = async (kind: TenantSweep, tenant: string, before = later()): Promise<number> =>
  (await engine.upkeep.sweep(kind, tenant, before, null)).removed

function deliver(tenant: string, id: string, status: string, run: string | null = null): void {
  const sql = `INSERT INTO deliveries (id, tenant, skill, stage, run, event, status, payload, attempts, token, created_at, finished_at)
    VALUES (?, ?, 'skl', 'stg', ?, 'run.failed', ?, '{}', '[]', 0, ?, ?)`
  disk.prepare(sql).run(id, tenant, run, status, now(), status === 'pending' ? null : now())
}

function fire(tenant: string, stage: string, at: number): void {
  const sql = `INSERT INTO fires (stage, scheduled_for, tenant, outcome, fired_at) VALUES (?, ?, ?, 'begun', ?)`
  disk.prepare(sql).run(stage, now(at), tenant, now(at))
}

function tell(tenant: string, at: string): void {
  const sql = `INSERT INTO events (tenant, skill, stage, type, at, data) VALUES (?, 's', 's', 'schedule.missed', ?, '{}')`
  disk.prepare(sql).run(tenant, at)
}

const plan = (sql: string): string =>
  (disk.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[]).map(({ detail }) => detail).join('; ')
const ids = (sql: string): unknown[] => (disk.prepare(sql).all() as { id: unknown }[]).map(({ id }) => id)

test('a run that a pending delivery tells of stays until that is over', async () => {
  const place = await settle(engine)
  const id = await admit(engine.runs, place)
  const [claim] = await engine.runs.take('default', 1, LONG)
  await engine.runs.finish(id, claim!.token, SUCCEEDED)
  await admit(engine.runs, place)
  deliver(place.tenant, 'msg_1', 'pending', id)
  expect(await removed('runs', place.tenant)).toBe(0)
  disk.exec(`UPDATE deliveries SET status = 'delivered', finished_at = '2020-01-01T00:00:00.000Z'`)
  expect(await removed('runs', place.tenant)).toBe(1)
})

test('deliveries that are over are removed, pending ones never', async () => {
  for (const status of ['pending', 'delivered', 'failed', 'rejected', 'cancelled']) {
    deliver('ten_a', `msg_00${status}`, status)
    deliver('ten_b', `msg_00b${status}`, status)
  }
  expect(await removed('deliveries', 'ten_a')).toBe(4)
  expect(ids(`SELECT id FROM deliveries WHERE tenant = 'ten_a'`)).toEqual(['msg_00pending'])
  expect(ids(`SELECT id FROM deliveries WHERE tenant = 'ten_b'`)).toHaveLength(5)
})

test('fires of the last two days stay, whatever is asked for', async () => {
  const at = Date.now()
  fire('ten_a', 'stg_1', at - 2 * DAY_MS - 60_000)
  fire('ten_a', 'stg_1', at - 2 * DAY_MS + 60_000)
  fire('ten_a', 'stg_2', at - 40 * DAY_MS)
  fire('ten_b', 'stg_3', at - 40 * DAY_MS)
  expect(await removed('fires', 'ten_a', at - 30 * DAY_MS)).toBe(1)
  expect(await removed('fires', 'ten_a')).toBe(1)
  expect(ids('SELECT stage AS id FROM fires ORDER BY stage')).toEqual(['stg_1', 'stg_3'])
})

test('activity of no run is removed by its age, but for the newest event of all', async () => {
  tell('ten_a', '2020-01-01T00:00:00.000Z')
  tell('ten_a', '2020-01-02T00:00:00.000Z')
  tell('ten_b', '2020-01-02T00:00:00.000Z')
  tell('ten_a', '2020-01-03T00:00:00.000Z')
  expect(await removed('activity', 'ten_a', Date.parse('2020-01-02'))).toBe(1)
  expect(await removed('activity', 'ten_a')).toBe(1)
  expect(ids('SELECT n AS id FROM events ORDER BY n')).toEqual([3, 4])
  expect(await engine.upkeep.sweep('activity', 'ten_a', later(), null)).toEqual({ removed: 0, next: null })
})

test('values that no secret points at are found; one that is written again meanwhile stays', async () => {
  const vault = engine.vault(await openMasterKeys({ dataDir: folder }))
  const path = 'agent-runner/test/secrets/sec_1'
  const secret = { id: 'sec_1', tenant: 'ten_a', name: 'one', kind: 'value' as const, path, revision: 2 }
  const made = { created_by: 'key', created_at: now(), updated_at: now() }
  disk.exec(`INSERT INTO tenants (id, name, created_at) VALUES ('ten_a', 'a', '')`)
  await engine.secrets.createSecret({ ...secret, ...made }, newNote('ten_a', 'secret.create'))
  for (const revision of [1, 2, 3]) await vault.put(path, revision, `value ${revision}`)
  await vault.put('agent-runner/test/secrets/sec_gone', 1, 'of nobody')
  const { found, next } = await engine.upkeep.strayValues(null)
  expect(next).toBeNull()
  expect(found.map((one) => [one.path, one.revision])).toEqual([
    [path, 1],
    [path, 3],
    ['agent-runner/test/secrets/sec_gone', 1],
  ])
  await vault.put(path, 3, 'of an update that is under way')
  expect(await Promise.all(found.map((value) => engine.upkeep.removeStray(value)))).toEqual([true, false, true])
  expect(await Promise.all([2, 3].map((revision) => vault.get(path, revision)))).toEqual([
    'value 2',
    'of an update that is under way',
  ])
  await expect(vault.get(path, 1)).rejects.toThrow('no revision 1')
})

test('strays are found page by page', async () => {
  const sql = `INSERT INTO vault (path, revision, master, wrapped, sealed) VALUES (?, 1, 'm', 'w', 's')`
  for (let i = 0; i < 450; i++) disk.prepare(sql).run(`p${String(i).padStart(3, '0')}`)
  const found: string[] = []
  let from: string | null = null
  do {
    const page = await engine.upkeep.strayValues(from)
    found.push(...page.found.map(({ path }) => path))
    from = page.next
  } while (from !== null)
  expect(found).toHaveLength(450)
  expect(new Set(found).size).toBe(450)
})

test('a copy is of one moment, private, whole, and lists its blobs; writers go on', async () => {
  const place = await settle(engine)
  const before = await Promise.all(Array.from({ length: 50 }, () => admit(engine.runs, place)))
  const file = join(folder, 'copy.db')
  const copying = engine.upkeep.copyTo(file)
  const during = await Promise.all(Array.from({ length: 50 }, () => admit(engine.runs, place)))
  const copy = await copying
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  const read = new DatabaseSync(file, { readOnly: true })
  expect(read.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
  const kept = new Set((read.prepare('SELECT id FROM runs').all() as { id: string }[]).map(({ id }) => id))
  // Each run with its place in the queue, or neither.
  expect(read.prepare('SELECT count(*) AS n FROM queue JOIN runs ON runs.id = run').get()).toEqual({ n: kept.size })
  read.close()
  expect(before.filter((id) => !kept.has(id))).toEqual([])
  const blobs: string[] = []
  for await (const blob of copy.blobs()) blobs.push(blob)
  expect(blobs).toEqual([place.deployment.bundle_blob])
  expect(during).toHaveLength(50)
  await expect(engine.runs.admit(newRun(place), 'default', NOTE)).resolves.toMatchObject({ outcome: 'admitted' })
})

test('everything old is found through an index', () => {
  const plans: Record<string, string> = {
    runs_over: `SELECT id FROM runs WHERE tenant = 't' AND status = 's' AND finished_at IS NOT NULL AND id > 'a' AND id < 'b' ORDER BY id LIMIT 9`,
    deliveries_run: `SELECT 1 FROM deliveries WHERE deliveries.run = 'r' AND deliveries.status = 'pending'`,
    deliveries_list: `SELECT id FROM deliveries WHERE tenant = 't' AND id > 'a' AND id < 'b' ORDER BY id LIMIT 9`,
    events_run: `DELETE FROM events WHERE run = 'r'`,
    events_apart: `SELECT n, at FROM events WHERE tenant = 't' AND run IS NULL ORDER BY n LIMIT 9`,
    fires_age: `SELECT stage FROM fires WHERE tenant = 't' AND fired_at < 'x' ORDER BY fired_at LIMIT 9`,
    idempotency_expiry: `SELECT tenant, key FROM idempotency WHERE expires_at <= 'x' ORDER BY expires_at LIMIT 9`,
    skills_deleted: `SELECT id FROM skills WHERE tenant = 't' AND deleted_at IS NOT NULL AND id > '' AND deleted_at < 'x' ORDER BY id LIMIT 9`,
    runs_skill: `SELECT id FROM runs WHERE tenant = 't' AND skill = 's' LIMIT 1`,
    uploads_list: `SELECT id FROM uploads WHERE tenant = 't' AND id > 'a' AND id < 'b' ORDER BY id LIMIT 9`,
    uploads_skill: `SELECT id FROM uploads WHERE skill = 's' LIMIT 9`,
    deployments_skill: `SELECT id FROM deployments WHERE skill = 's' LIMIT 9`,
    versions_digest: `SELECT 1 FROM versions WHERE versions.tenant = 't' AND versions.digest = 'd'`,
    uploads_digest: `SELECT 1 FROM uploads WHERE uploads.tenant = 't' AND uploads.digest = 'd' AND uploads.digest IS NOT NULL`,
    packages_archive: `SELECT archive_blob FROM packages WHERE archive_blob IN ('a', 'b')`,
    packages_bundle: `SELECT bundle_blob FROM packages WHERE bundle_blob IN ('a', 'b')`,
    deployments_bundle: `SELECT bundle_blob FROM deployments WHERE bundle_blob IN ('a', 'b')`,
    uploads_unfinished: `SELECT sha256 FROM uploads WHERE state IN ('received', 'validating') AND sha256 IN ('a')`,
    activations_deployment: `SELECT 1 FROM activations WHERE deployment = 'd'`,
  }
  for (const [index, sql] of Object.entries(plans)) {
    expect(plan(sql), sql).toContain(index)
    expect(plan(sql), sql).not.toMatch(/TEMP B-TREE/)
  }
})
