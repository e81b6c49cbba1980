import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import type { Leftovers } from '../tests/support/leftovers.ts'

/** Sandboxes of a server that was killed end by themselves; whoever is still there after this long is an orphan. */
const ORPHAN_MS = 10_000

/** Waits for the end of all sandboxes. @returns Those that did not end */
export async function settled(leftovers: Leftovers): Promise<number[]> {
  const until = performance.now() + ORPHAN_MS
  for (;;) {
    const left = leftovers.processes()
    if (left.length === 0 || performance.now() > until) return left
    await pause(20)
  }
}

/** What a server that was stopped in order left behind, in words. */
export async function leftIn(dataDir: string, leftovers: Leftovers): Promise<string[]> {
  const orphans = await settled(leftovers)
  const left = [
    ...orphans.map((pid) => `process ${pid} is left`),
    ...leftovers.mounts().map((line) => `mount ${line} is left`),
    ...leftovers.groups().map((path) => `control group ${path} is left`),
    ...readdirSync(dataDir, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(new|part|tmp)$|^server\.json$/.test(name))
      .map((name) => `file ${name} is left`),
  ]
  const db = new DatabaseSync(join(dataDir, 'skillet.db'), { readOnly: true })
  try {
    const rows = db.prepare('PRAGMA integrity_check').all() as { integrity_check: string }[]
    const queue = db.prepare('SELECT count(*) AS rows FROM queue').get() as { rows: number }
    if (queue.rows !== 0) left.push(`${queue.rows} rows are left in the queue`)
    return [...left, ...rows.map((row) => row.integrity_check).filter((line) => line !== 'ok')]
  } finally {
    db.close()
  }
}
