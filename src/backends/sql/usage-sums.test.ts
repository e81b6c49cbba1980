import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Database } from './database.ts'
import { migrate } from './migrations.ts'
import { openSqliteDatabase } from './sqlite-database.ts'
import { usageSums } from './usage-sums.ts'

const [STAGES, DAYS] = [200, 365]

let folder: string
let db: Database
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-usage-'))
  db = openSqliteDatabase(join(folder, 'test.db'))
  await migrate(db)
  await db.tx(async (t) => {
    await t.query(
      `WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${STAGES * DAYS - 1})
       INSERT INTO usage (tenant, day, skill, stage, runs, succeeded, failed, cancelled, throttled, billable_ms, cpu_ms, peak_memory_bytes)
       SELECT 'mine', date('2026-01-01', '+' || (i / ${STAGES}) || ' days'), 'skill_' || (i % 50), 'stage_' || (i % ${STAGES}),
         1, 1, 0, 0, 0, 10, 5, i FROM n`,
    )
  })
})
afterAll(async () => {
  await db.close()
  await rm(folder, { recursive: true, force: true })
})

const YEAR = { from: '2026-01-01', to: '2026-12-31' }

test('a year of many stages is summed up in steps, between which others get their turn', async () => {
  let [turns, done] = [0, false]
  const summing = usageSums(db, 'mine', { ...YEAR, groupBy: 'stage' }).finally(() => (done = true))
  while (!done) {
    await setImmediate()
    turns++
  }
  const rows = await summing
  expect(turns).toBeGreaterThan(5)
  expect(rows).toHaveLength(STAGES)
  expect(
    rows.every(({ runs, billable_ms, cpu_ms }) => runs === DAYS && billable_ms === 10 * DAYS && cpu_ms === 5 * DAYS),
  ).toBe(true)
  expect(rows.find(({ stage }) => stage === 'stage_7')).toMatchObject({
    day: null,
    skill: 'skill_7',
    peak_memory_bytes: (DAYS - 1) * STAGES + 7,
  })
  expect(rows.map(({ skill, stage }) => `${skill} ${stage}`)).toEqual(
    rows.map(({ skill, stage }) => `${skill} ${stage}`).toSorted(),
  )
})

test('each day is there once, in order, wherever a step ends', async () => {
  const rows = await usageSums(db, 'mine', { from: '2026-02-27', to: '2026-06-30', groupBy: 'day' })
  const from = Date.parse('2026-02-27')
  expect(rows.map(({ day }) => day)).toEqual(
    Array.from({ length: 124 }, (_, i) => new Date(from + i * 86_400_000).toISOString().slice(0, 10)),
  )
  expect(rows.every(({ runs }) => runs === STAGES)).toBe(true)
})

test('of one stage, on one day', async () => {
  const day = { from: '2026-03-01', to: '2026-03-01', groupBy: 'skill' } as const
  expect(await usageSums(db, 'mine', { ...day, skill: 'skill_3', stage: 'stage_53' })).toMatchObject([
    { skill: 'skill_3', skill_name: null, runs: 1 },
  ])
  expect(await usageSums(db, 'mine', { ...day, stage: 'stage_none' })).toEqual([])
})
