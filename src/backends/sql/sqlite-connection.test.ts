import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { oneOf } from './page.ts'
import { SqliteConnection } from './sqlite-connection.ts'

test('lists of ever other lengths do not stay prepared for ever, and answer all the same', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'skillet-connection-'))
  const connection = new SqliteConnection(join(folder, 'test.db'))
  try {
    connection.run('CREATE TABLE things (id text PRIMARY KEY)')
    connection.all('INSERT INTO things (id) VALUES (?)', ['thing_1'])
    for (let length = 1; length <= 1200; length++) {
      const ids = Array.from({ length }, (_, i) => `thing_${i + 1}`)
      const found = connection.all(`SELECT id FROM things WHERE ${oneOf('id', ids)}`, ids)
      if (length % 200 === 1) expect(found).toEqual([{ id: 'thing_1' }])
    }
    expect(connection.prepared).toBeLessThanOrEqual(1000)
    // Long ones never do: a thousand of them were much.
    const before = connection.prepared
    const many = Array.from({ length: 20_000 }, (_, i) => `thing_${i}`)
    expect(connection.all(`SELECT id FROM things WHERE ${oneOf('id', many)}`, many)).toHaveLength(1)
    expect(connection.prepared).toBeLessThanOrEqual(before)
  } finally {
    connection.close()
    await rm(folder, { recursive: true, force: true })
  }
})
