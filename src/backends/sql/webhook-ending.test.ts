import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { ANY_ROOM, hookedPlace, put, succeed } from '../contract/webhook-fixtures.ts'
import { DATABASE_FILE, openSqliteEngine } from './sql-engine.ts'

test('what a crash left of cancelling is cancelled when the server starts again, and nothing else', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'skillet-webhook-ending-'))
  const engine = await openSqliteEngine({ folder })
  try {
    const places = await Promise.all(['a', 'b', 'c', 'd'].map(() => hookedPlace(engine)))
    for (const place of places) {
      await put(engine, place)
      await succeed(engine, place)
      await succeed(engine, place)
    }
    const [deleted, disabled, failing] = places.map(({ stage }) => stage.id)
    const disk = new DatabaseSync(join(folder, DATABASE_FILE))
    // As if it had ended right after the first transaction.
    disk.prepare('DELETE FROM webhooks WHERE stage = ?').run(deleted!)
    disk.prepare('UPDATE webhooks SET enabled = 0, due = NULL WHERE stage = ?').run(disabled!)
    disk
      .prepare(`UPDATE webhooks SET enabled = 0, due = NULL, disabled_reason = 'failing' WHERE stage = ?`)
      .run(failing!)
    disk.close()
    await engine.webhooks.recoverDeliveries()
    const found = await Promise.all(
      places.map(async ({ tenant }) => {
        const { items } = await engine.webhooks.listDeliveries(tenant, { limit: 10 })
        return items.map(({ status, reason }) => `${status} ${reason}`)
      }),
    )
    const expected = ['cancelled deleted', 'cancelled disabled', 'cancelled failing', 'pending null']
    expect(found).toEqual(expected.map((text) => [text, text]))
    expect(await engine.webhooks.takeDeliveries(10, 1000, ANY_ROOM)).toHaveLength(2)
  } finally {
    await engine.close()
    await rm(folder, { recursive: true, force: true })
  }
})
