import { mkdtemp, readFile, readdir, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { newId } from '../../src/model/ids.ts'
import { now } from '../../src/model/json.ts'
import type { RunningServer } from '../../src/server.ts'
import { startServer } from '../../src/server.ts'
import { cli } from '../support/cli.ts'
import { TestServer, python } from './harness.ts'

const ECHO = 'def handler(input: dict) -> dict:\n    return input\n'
const DAY_MS = 86_400_000

test('what is over for longer than its tenant keeps it goes, with what nobody needs any more, and nothing else', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'skillet-retention-'))
  let server: TestServer | null = await TestServer.start({ dataDir })
  try {
    await server.deploy('kept', python('kept', ECHO), { size: 'S' })
    await server.deploy('dropped', python('dropped', `${ECHO}\n# another\n`), { size: 'S' })
    const [old, dropped] = [await server.run('kept', { a: 2 }), await server.run('dropped', { a: 3 })]
    const young = await server.run('kept', { a: 1 })
    await server.ok('DELETE', '/api/skills/dropped')
    const blobs = await files(dataDir)
    const tenant = (await server.ok<{ tenant: string }>('GET', '/api/whoami')).tenant
    expect(await cli(['tenant', 'retention', tenant, '8', '--data', dataDir])).toMatchObject({ code: 0 })
    await server.stop()

    // Nine days ago.
    const at = Date.now() - 9 * DAY_MS
    const disk = new DatabaseSync(join(dataDir, 'skillet.db'))
    const ids = new Map([old, dropped].map(({ id }) => [id, newId('run', at)]))
    for (const [id, aged] of ids) {
      disk.prepare('UPDATE runs SET id = ?, finished_at = ? WHERE id = ?').run(aged, now(at), id)
      for (const table of ['run_inputs', 'run_outputs', 'events']) {
        disk.prepare(`UPDATE ${table} SET run = ? WHERE run = ?`).run(aged, id)
      }
    }
    disk.exec(`UPDATE skills SET deleted_at = '${now(at)}' WHERE deleted_at IS NOT NULL`)
    disk.exec(
      `UPDATE uploads SET id = '${newId('upload', at)}' WHERE skill IN (SELECT id FROM skills WHERE deleted_at IS NOT NULL)`,
    )
    disk.close()
    for (const file of blobs) await utimes(file, 1, 1)

    const running: RunningServer = await startServer({ dataDir, port: 0, log: () => {} })
    const swept = await running.sweep()
    const operator = { authorization: `Bearer ${running.operatorKey!}` }
    const metrics = await (await fetch(`${running.url}/metrics`, { headers: operator })).text()
    await running.stop()
    // The deleted skill: its upload, its version, its deployment, itself; then its package with archive and bundle.
    expect(swept).toEqual({ runs: 2, skills: 4, packages: 1, blobs: 2 })
    expect(metrics).toContain('skillet_swept_total{kind="runs"} 2')
    expect(blobs).toHaveLength(4)
    expect(await files(dataDir)).toHaveLength(2)

    server = await TestServer.start({ dataDir })
    expect(await server.find(young.id)).toEqual(young)
    for (const id of ids.values()) expect((await server.call('GET', `/api/runs/${id}`)).status).toBe(404)
    // What is served is there, and the log of it all is whole.
    expect((await server.run('kept', { still: 'here' })).output).toEqual({ still: 'here' })
    expect(await cli(['audit', 'verify', '--data', dataDir])).toMatchObject({ code: 0 })
    expect((await readFile(join(dataDir, 'owner.key'), 'utf8')).trim()).toBe(server.key)
  } finally {
    await server?.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
})

/** All blobs. */
async function files(dataDir: string): Promise<string[]> {
  const entries = await readdir(join(dataDir, 'blobs'), { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
}
