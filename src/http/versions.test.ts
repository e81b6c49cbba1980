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

test('a version goes by any of its names, and those that move on follow', async () => {
  const [one, two, three] = [1, 2, 3].map((n) => packageOf(`named ${n}`))
  await server.deploy('named', 'prod', one!)
  await server.deploy('named', 'dev', two!)
  const { body: first } = await server.call<VersionDetail>('GET', '/api/skills/named/versions/1.0.0')
  const numberOf = async (name: string): Promise<string> =>
    (await server.call<VersionDetail>('GET', `/api/skills/named/versions/${name}`)).body.version
  for (const name of ['1', '1.0.0', first.id, 'prod']) expect(await numberOf(name), name).toBe('1.0.0')
  for (const name of ['2', '2.0.0', 'dev', 'latest']) expect(await numberOf(name), name).toBe('2.0.0')
  await server.deploy('named', 'dev', three!)
  expect([await numberOf('prod'), await numberOf('latest')]).toEqual(['1.0.0', '3.0.0'])
  const diff = await server.call<VersionDiff>('GET', '/api/skills/named/diff?from=prod&to=latest')
  expect([diff.body.from.version, diff.body.to.version]).toEqual(['1.0.0', '3.0.0'])
  const files = await server.call('GET', '/api/skills/named/versions/latest/files')
  expect(files.body).toEqual({ items: three!.files })
  await server.call('PUT', '/api/skills/named/stages/empty', { config: {} })
  for (const name of ['empty', 'nothing', '9', '0', 'sta_1', '4.0.0']) {
    expect((await server.call('GET', `/api/skills/named/versions/${name}`)).status, name).toBe(404)
  }
})

test('a version is withdrawn by a name that is its own: whoever asks again withdraws no other', async () => {
  for (const n of [1, 2]) await server.deploy('gone', 'dev', packageOf(`gone ${n}`))
  for (const name of ['latest', 'dev']) {
    const refused = await server.call<{ code: string; detail: string }>('DELETE', `/api/skills/gone/versions/${name}`)
    expect(refused.body).toMatchObject({ code: 'bad_request', detail: expect.stringContaining('number: 2.0.0') })
  }
  expect((await server.call('DELETE', '/api/skills/gone/versions/1')).body).toMatchObject({ version: '1.0.0' })
  expect((await server.call('DELETE', '/api/skills/gone/versions/1')).status).toBe(404)
})

test('a withdrawal that is refused leaves what agents get as it is', async () => {
  for (const n of [1, 2]) await server.deploy('kept', 'prod', packageOf(`kept ${n}`))
  await server.deploy('kept', 'dev', packageOf('kept 2'))
  const served = async () => (await server.call<VersionDetail>('GET', '/api/skills/kept/versions/prod')).body.version
  const before = await served()
  const refused = await server.call('DELETE', `/api/skills/kept/versions/${before}`)
  expect(refused.body).toMatchObject({ code: 'version_in_use', stages: ['dev'] })
  expect(await served()).toBe(before)
})
