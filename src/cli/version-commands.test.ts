import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CliResult, cli } from '../../tests/support/cli.ts'
import { packageOf } from '../http/fixtures/packages.ts'
import { type TestServer, startTestServer } from '../http/fixtures/test-server.ts'
import type { SigningKey } from '../model/signatures.ts'
import type { Version } from '../model/skills.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await writeFile(join(server.dataDir, 'server.json'), JSON.stringify({ url: server.url, pid: process.pid }))
  const first = packageOf('notes 1', { name: 'notes', skill_md: { frontmatter: { license: 'MIT' }, body: '' } })
  await server.deploy('notes', 'prod', first)
  await server.deploy('notes', 'dev', {
    ...packageOf('notes 2', { name: 'notes' }),
    description: 'Controls\u001b[2J.',
    defaults: { network: ['example.com'] },
    input_schema: { type: 'object', properties: { a: { type: 'integer' }, b: {} }, required: ['a', 'b'] },
    skill_md: { frontmatter: { license: 'Apache-2.0', 'allowed-tools': 'Read' }, body: '' },
  })
})
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})

const skillet = (...args: string[]): Promise<CliResult> => cli(args, { env: { SKILLET_DATA: server.dataDir } })
async function said(...args: string[]): Promise<string> {
  const { code, out, err } = await skillet(...args)
  expect([code, err]).toEqual([0, ''])
  return out
}
const json = async <T>(...args: string[]): Promise<T> => JSON.parse(await said(...args, '--json')) as T

test('versions are listed and shown, by any of their names', async () => {
  const list = await said('version', 'list', 'notes')
  expect(list).toMatch(/^VERSION +NO +CREATED[^]*\n2\.0\.0 +2 [^]*\n1\.0\.0 +1 /)
  const { items } = await json<{ items: Version[] }>('version', 'list', 'notes', '--limit', '1')
  expect(items.map(({ version }) => version)).toEqual(['2.0.0'])
  for (const name of ['latest', 'dev', '2', items[0]!.id]) {
    const shown = await said('version', 'show', 'notes', name)
    expect(shown).toContain("notes 2.0.0, the skill's number 2\n")
    expect(shown).toMatch(/\nFILE +SIZE +X +SHA-256\nmain\.py +7 B +- +[0-9a-f]{12}\n/)
    // What strangers wrote controls no terminal.
    expect(shown).toContain('Controls\\u{1b}[2J.')
  }
  expect(await skillet('version', 'show', 'notes', '3.0.0')).toMatchObject({ code: 5 })
})

test('a difference is told line by line', async () => {
  const diff = await said('version', 'diff', 'notes', 'prod', 'latest')
  expect(diff).toContain('notes 1.0.0 -> 2.0.0: for callers a major change\n')
  expect(diff).toContain('\n  ~ main.py\n')
  expect(diff).toContain('\n  license: "MIT" -> "Apache-2.0"\n')
  expect(diff).toContain('\n  allowed-tools: (nothing) -> "Read"\n')
  expect(diff).toContain('\n  network: (nothing) -> [ "example.com" ]\n')
  expect(diff).toMatch(/\n {2}major {2}\/input/)
  expect(await said('version', 'diff', 'notes', '1', 'prod')).toBe('notes 1.0.0 -> 1.0.0\nThey are the same.\n')
})

test('a version is served on a stage, and withdrawn when nothing serves it', async () => {
  expect(await said('stage', 'serve', 'notes', 'qa', 'prod')).toBe('notes 1.0.0 is served on qa.\n')
  const busy = await skillet('version', 'withdraw', 'notes', '1.0.0', '--yes')
  expect(busy).toMatchObject({ code: 1, err: expect.stringContaining('qa') })
  await said('stage', 'serve', 'notes', 'qa', 'latest')
  expect(await skillet('version', 'withdraw', 'notes', '1.0.0')).toMatchObject({
    code: 2,
    err: expect.stringContaining('--yes'),
  })
  expect(await said('version', 'withdraw', 'notes', '1.0.0', '--yes')).toBe('notes 1.0.0 was withdrawn.\n')
  expect(await skillet('version', 'show', 'notes', '1.0.0')).toMatchObject({ code: 5 })
})

const keys = async () => (await json<{ items: SigningKey[] }>('signing-key', 'list')).items
const signer = async () =>
  (JSON.parse(await said('version', 'signature', 'notes', 'latest')) as { signatures: { keyid: string }[] })
    .signatures[0]!.keyid

test('signatures and the keys that they are made with are shown; a new key signs from then on', async () => {
  const before = await signer()
  expect((await keys()).map(({ id }) => id)).toEqual([before])
  expect(await said('signing-key', 'rotate')).toContain('-----BEGIN PUBLIC KEY-----')
  const [active, retired] = await keys()
  expect([await signer(), retired!.id]).toEqual([active!.id, before])
  expect(await said('signing-key', 'list', '--pem')).toBe(active!.public_key + retired!.public_key)
  expect(await said('signing-key', 'list')).toMatch(/^KEY +TENANT +CREATED +RETIRED\n/)
})
