import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { newId } from '../../model/ids.ts'
import { LONG, SUCCEEDED } from '../contract/engine-fixtures.ts'
import { DATABASE_FILE, openSqliteEngine } from './sql-engine.ts'

const SCRIPT = fileURLToPath(new URL('./fixtures/count-forever.ts', import.meta.url))

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-quota-crash-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** Lets a process work until it has acknowledged that many things, and kills it. */
async function crash(tenant: string, cap: number, acknowledgements: number): Promise<void> {
  const child = spawn(process.execPath, [SCRIPT, folder, tenant, String(cap)], { stdio: ['ignore', 'pipe', 'inherit'] })
  let heard = 0
  createInterface({ input: child.stdout }).on('line', () => {
    if (++heard === acknowledgements) child.kill('SIGKILL')
  })
  await once(child, 'close')
  expect(child.signalCode).toBe('SIGKILL')
}

/** What the runs say, and what the counters say: of the tenant, of all its skills together, and of the usage. */
function counts(tenant: string): Record<'runs' | 'tenant' | 'skills' | 'ended' | 'usage', { n: number; ms: number }> {
  const db = new DatabaseSync(join(folder, DATABASE_FILE), { readOnly: true })
  const one = (sql: string): { n: number; ms: number } => ({
    ...(db.prepare(`SELECT coalesce(${sql} AND tenant = ?`).get(tenant) as { n: number; ms: number }),
  })
  const runs = 'sum(counted), 0) AS n, coalesce(sum(billable_ms), 0) AS ms FROM runs WHERE'
  const used = 'sum(month_runs), 0) AS n, coalesce(sum(month_ms), 0) AS ms FROM quota_used WHERE'
  try {
    return {
      runs: one(`${runs} true`),
      tenant: one(`${used} scope = ''`),
      skills: one(`${used} scope <> ''`),
      ended: one(`${runs} finished_at IS NOT NULL`),
      usage: one('sum(runs), 0) AS n, coalesce(sum(billable_ms), 0) AS ms FROM usage WHERE true'),
    }
  } finally {
    db.close()
  }
}

test('kill -9 leaves counts as exact as they were: each run once, its minutes once, and as many as the cap allows', async () => {
  const tenant = newId('tenant')
  const cap = 300
  for (const acknowledgements of [80, 511, 902]) {
    await crash(tenant, cap, acknowledgements)
    const { runs, tenant: whole, skills, ended, usage } = counts(tenant)
    expect(runs.n).toBeGreaterThan(20)
    expect(whole).toEqual(runs)
    expect(skills).toEqual(runs)
    expect(usage).toEqual(ended)
  }
  const engine = await openSqliteEngine({ folder })
  try {
    await engine.runs.recover()
    for (;;) {
      const claims = await engine.runs.take('default', 100, LONG)
      if (claims.length === 0 && (await engine.runs.nextVisible('default')) === null) break
      await Promise.all(claims.map(({ run, token }) => engine.runs.finish(run.id, token, SUCCEEDED)))
    }
  } finally {
    await engine.close()
  }
  const { runs, tenant: whole, skills, ended, usage } = counts(tenant)
  expect(whole).toEqual(runs)
  expect(skills).toEqual(runs)
  expect(ended).toEqual(runs)
  expect(usage).toEqual(runs)
  expect(runs.n).toBe(cap)
})
