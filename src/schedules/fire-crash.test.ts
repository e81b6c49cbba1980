import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MINUTE, T0 } from '../backends/contract/schedule-fixtures.ts'
import { DATABASE_FILE } from '../backends/sql/sql-engine.ts'
import { newId } from '../model/ids.ts'
import { random } from './fixtures/schedules.ts'

const SCRIPT = fileURLToPath(new URL('fixtures/fire-forever.ts', import.meta.url))

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-fire-crash-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** Lets a process fire for so many looks and kills it some microseconds later, in the middle of another. @returns What its clock said last. */
async function crash(tenant: string, clock: number, looks: number, later: number): Promise<number> {
  const child = spawn(process.execPath, [SCRIPT, folder, tenant, String(clock), String(looks)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let heard = 0
  let last = clock
  createInterface({ input: child.stdout }).on('line', (line) => {
    last = Number(line)
    if (++heard !== looks) return
    const until = performance.now() + later / 1000
    while (performance.now() < until);
    child.kill('SIGKILL')
  })
  await once(child, 'close')
  expect(child.signalCode).toBe('SIGKILL')
  return last
}

interface FireRow {
  readonly stage: string
  readonly scheduled_for: string
  readonly outcome: string
  readonly run: string | null
  readonly missed_until: string | null
}

test('kill -9 while schedules fire: each instant has one run or one reason for none, and none is left out', async () => {
  const pick = random(20261124)
  const tenant = newId('tenant')
  let clock = T0
  let latest = T0
  for (let round = 0; round < 6; round++) {
    clock = await crash(tenant, clock, 5 + pick(25), pick(8000))
    latest = Math.max(latest, clock)
    // Down for a while, and sometimes with a clock that is wrong by an hour.
    clock += [0, 3 * MINUTE, 45 * MINUTE, -60 * MINUTE, 60 * MINUTE][pick(5)]!
  }
  const db = new DatabaseSync(join(folder, DATABASE_FILE), { readOnly: true })
  const fires = db.prepare('SELECT * FROM fires ORDER BY stage, scheduled_for').all() as unknown as FireRow[]
  const runs = db.prepare('SELECT id, stage, scheduled_for FROM runs').all() as { id: string }[]
  const nexts = db.prepare('SELECT stage, instant FROM schedules').all() as { stage: string; instant: number }[]
  const lost = db.prepare('SELECT id FROM runs WHERE finished_at IS NULL AND id NOT IN (SELECT run FROM queue)').all()
  db.close()

  expect(nexts).toHaveLength(40)
  expect(lost).toEqual([])
  expect(runs.length).toBeGreaterThan(400)
  // A run for each fire that has one, and for nothing else.
  const begun = fires.flatMap(({ run }) => (run === null ? [] : [run]))
  expect(new Set(begun).size).toBe(begun.length)
  expect(new Set(runs.map(({ id }) => id))).toEqual(new Set(begun))
  for (const { outcome, run } of fires) expect(run === null).toBe(outcome === 'missed' || outcome === 'skipped')
  // Minute by minute without a hole, up to the one that is next.
  for (const { stage, instant } of nexts) {
    let expected = T0 + MINUTE
    const own = fires.filter((fire) => fire.stage === stage)
    for (const { scheduled_for, missed_until } of own) {
      expect(Date.parse(scheduled_for)).toBe(expected)
      expected = Date.parse(missed_until ?? scheduled_for) + MINUTE
    }
    expect(instant).toBe(expected)
    expect(instant).toBeGreaterThan(latest - 2 * MINUTE)
  }
})
