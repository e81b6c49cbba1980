import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DATABASE_FILE } from '../backends/sql/sql-engine.ts'
import type { Flushed, SessionInfo } from '../model/sessions.ts'
import type { Deployment } from '../model/skills.ts'
import { packageOf } from './fixtures/packages.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'

let server: TestServer
let dev: Deployment
let prod: Deployment
let other: Deployment
beforeAll(async () => {
  server = await startTestServer()
  dev = await server.deploy('notes', 'dev', packageOf('one'))
  prod = await server.deploy('notes', 'prod', packageOf('one'))
  other = await server.deploy('other', 'dev', packageOf('one'))
})
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})

/** The key of a developer who is granted one stage of one skill. */
async function developer(skill: string, stage: string): Promise<string> {
  const { body } = await server.call<{ id: string; key: string }>('POST', '/api/keys', {
    role: 'developer',
    name: 'dev',
  })
  const grant = { principal: body.id, allowed_skills: [skill], stages: [stage] }
  expect((await server.call('POST', '/api/grants', grant)).status).toBe(201)
  return body.key
}

test('a developer sees and flushes the sandboxes of the stages that a grant covers, and nothing else', async () => {
  server.kept.splice(0, Infinity, dev, prod, other)
  const key = await developer('notes', 'dev')
  const list = await server.call<{ items: SessionInfo[] }>('GET', '/api/sessions', undefined, { key })
  expect(list.body.items.map(({ deployment }) => deployment)).toEqual([dev.id])
  const flushed = await server.call<Flushed>('POST', '/api/sessions/flush', undefined, { key })
  expect(flushed.body).toEqual({ ended: 1, after_run: 0 })
  expect(server.kept).toEqual([prod, other])
  const refused = await server.call('POST', '/api/skills/notes/stages/prod/sessions/flush', undefined, { key })
  expect([refused.status, server.kept.length]).toEqual([403, 2])
})

test('what cannot be audited is not flushed', async () => {
  server.kept.splice(0, Infinity, dev)
  const disk = new DatabaseSync(join(server.dataDir, DATABASE_FILE))
  disk.exec(`CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no row can be written'); END`)
  try {
    expect((await server.call('POST', '/api/sessions/flush')).status).toBe(500)
  } finally {
    disk.exec('DROP TRIGGER full')
    disk.close()
  }
  expect(server.kept).toEqual([dev])
  expect(server.faults.splice(0)).toHaveLength(1)
})
