import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PackageFile } from '../model/packages.ts'
import type { VersionDetail, VersionDiff } from '../skills/shapes.ts'
import { packageOf } from './fixtures/packages.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'

let server: TestServer
beforeAll(async () => void (server = await startTestServer()))
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})

const file = (path: string, content: string): PackageFile[] => packageOf(content).files.map((one) => ({ ...one, path }))

test('versions show their package and files, and what changed between two', async () => {
  const before = packageOf('diff 1', {
    files: [...file('main.py', 'a'), ...file('old.py', 'b'), ...file('same.py', 'c')],
  })
  const after = packageOf('diff 2', {
    files: [...file('main.py', 'A'), ...file('new.py', 'b'), ...file('same.py', 'c')],
    input_schema: { type: 'object', properties: { a: { type: 'integer' }, c: { type: 'integer' } }, required: ['a'] },
  })
  await server.deploy('diffs', 'dev', before)
  await server.deploy('diffs', 'dev', after)
  const shown = await server.call<VersionDetail>('GET', '/api/skills/diffs/versions/1.0.0')
  expect(shown.body).toMatchObject({ version: '1.0.0', digest: before.digest, package: { format: 'python' } })
  expect((await server.call('GET', `/api/skills/diffs/versions/${shown.body.id}`)).body).toEqual(shown.body)
  const files = await server.call('GET', '/api/skills/diffs/versions/1.0.0/files')
  expect(files.body).toEqual({ items: before.files })
  const { body } = await server.call<VersionDiff>('GET', '/api/skills/diffs/diff?from=1.0.0&to=2.0.0')
  expect(body.files.added.map(({ path }) => path)).toEqual(['new.py'])
  expect(body.files.removed.map(({ path }) => path)).toEqual(['old.py'])
  expect(body.files.changed.map(({ path }) => path)).toEqual(['main.py'])
  expect(body.change_level).toBe('minor')
  expect(body.changes).toHaveLength(1)
  expect((await server.call('GET', '/api/skills/diffs/versions/7.0.0')).status).toBe(404)
  expect((await server.call('GET', '/api/skills/diffs/diff?from=1.0.0')).status).toBe(400)
})
