import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LONG, SUCCEEDED } from '../contract/engine-fixtures.ts'
import type { Engine } from '../ports.ts'
import { openSqliteEngine } from './sql-engine.ts'

const SCRIPT = fileURLToPath(new URL('./fixtures/admit-forever.ts', import.meta.url))

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-crash-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

interface Promised {
  readonly tenant: string
  readonly id: string
  finished: boolean
}

/** Lets a process work until it has acknowledged that many things, and kills it. What it said was durable goes into `promised`. */
async function crash(acknowledgements: number, promised: Map<string, Promised>): Promise<void> {
  const child = spawn(process.execPath, [SCRIPT, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  let heard = 0
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [word, tenant, id] = line.split(' ') as [string, string, string]
    if (word === 'admitted') promised.set(id, { tenant, id, finished: false })
    const known = promised.get(id)
    if (word === 'finished' && known !== undefined) known.finished = true
    if (++heard === acknowledgements) child.kill('SIGKILL')
  })
  await once(child, 'close')
  expect(child.signalCode).toBe('SIGKILL')
}

async function finishAll(engine: Engine): Promise<void> {
  await engine.runs.recover()
  for (;;) {
    const claims = await engine.runs.take('default', 100, LONG)
    if (claims.length === 0 && (await engine.runs.nextVisible('default')) === null) return
    await Promise.all(claims.map(({ run, token }) => engine.runs.finish(run.id, token, SUCCEEDED)))
  }
}

test('kill -9 loses nothing that was acknowledged and leaves nothing stuck', async () => {
  const promised = new Map<string, Promised>()
  for (const acknowledgements of [40, 333, 700]) await crash(acknowledgements, promised)
  expect(promised.size).toBeGreaterThan(300)
  const engine = await openSqliteEngine({ folder })
  try {
    for (const { tenant, id, finished } of promised.values()) {
      const run = await engine.runs.find(tenant, id)
      expect(run, id).not.toBeNull()
      if (finished) expect(run!.status).toBe('succeeded')
    }
    await finishAll(engine)
    for (const { tenant, id } of promised.values()) {
      const run = await engine.runs.find(tenant, id)
      // Those whose worker was killed too often end as failed; whichever way, they end, and with their story whole.
      expect(['succeeded', 'failed']).toContain(run!.status)
      const events = await engine.runs.events(tenant, id, 0, 100)
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1))
      expect(events.at(-1)!.type).toBe('result')
      expect(events.filter(({ type }) => type === 'result')).toHaveLength(1)
    }
  } finally {
    await engine.close()
  }
})
