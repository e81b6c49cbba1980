import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CliResult, cli } from '../../tests/support/cli.ts'
import { type TestServer, startTestServer } from '../http/fixtures/test-server.ts'
import type { Secret } from '../model/secrets.ts'
import type { StageConfig } from '../model/skills.ts'

let server: TestServer
let cwd: string
let tenant: string
beforeAll(async () => {
  server = await startTestServer()
  cwd = await mkdtemp(join(tmpdir(), 'skillet-secret-commands-'))
  await writeFile(join(server.dataDir, 'server.json'), JSON.stringify({ url: server.url, pid: process.pid }))
  await server.call('POST', '/api/skills', { name: 'notes' })
  await server.call('PUT', '/api/skills/notes/stages/dev', { config: {} })
  tenant = (await server.call<{ tenant: string }>('GET', '/api/whoami')).body.tenant
})
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
  await rm(cwd, { recursive: true, force: true })
})

const VALUE = 'hunter2-hunter2'

/** Whatever is said, the value is not in it. */
async function skillet(args: readonly string[], stdin?: string): Promise<CliResult> {
  const result = await cli(args, { env: { SKILLET_DATA: server.dataDir }, cwd, ...(stdin !== undefined && { stdin }) })
  expect(result.out + result.err).not.toContain('hunter2')
  return result
}
const json = async <T>(...args: string[]): Promise<T> => {
  const { code, out, err } = await skillet([...args, '--json'])
  expect([code, err]).toEqual([0, ''])
  return JSON.parse(out) as T
}
const config = (...args: string[]) => json<StageConfig>('stage', 'config', 'notes', 'dev', ...args)
const create = (args: string[], stdin?: string) => skillet(['secret', 'create', 'bad', ...args], stdin)
const valueOf = async (name: string): Promise<string> => {
  const { body } = await server.call<Secret>('GET', `/api/secrets/${name}`)
  return (await server.secrets.resolve(tenant, { A: body.id })).env['A']!
}

test.each([
  ['as it is', VALUE, VALUE],
  ['without one line end', `${VALUE}\n`, VALUE],
  ['without one line end of Windows', `${VALUE}\r\n`, VALUE],
  ['with the second line end', `${VALUE}\n\n`, `${VALUE}\n`],
  [
    'of several lines',
    `-----BEGIN KEY-----\n${VALUE}\n-----END KEY-----\n`,
    `-----BEGIN KEY-----\n${VALUE}\n-----END KEY-----`,
  ],
  ['with what is at its ends', `\ufeff ${VALUE} `, `\ufeff ${VALUE} `],
])('a value from stdin and from a file is taken: %s', async (_, given, taken) => {
  const name = `taken-${Math.random()}`
  const made = await skillet(['secret', 'create', name, '--value-stdin'], given)
  expect(made).toMatchObject({ code: 0, err: '', out: expect.stringContaining(`--secret NAME=${name}`) })
  expect(await valueOf(name)).toBe(taken)
  await writeFile(join(cwd, 'value'), given)
  await skillet(['secret', 'update', name, '--value-stdin'], 'other')
  expect((await skillet(['secret', 'update', name, '--value-file', 'value'])).out).toContain('revision 3')
  expect(await valueOf(name)).toBe(taken)
})

test('a secret is listed, shown, given a new value and deleted', async () => {
  const made = await skillet(
    ['secret', 'create', 'db', '--kind', 'connection', '--value-stdin', '--json'],
    `postgres://u:${VALUE}@db/x`,
  )
  const secret = JSON.parse(made.out) as Secret
  expect(secret).toMatchObject({ name: 'db', kind: 'connection', revision: 1 })
  expect((await skillet(['secret', 'list', '--limit', '1'])).out).toMatch(/^db +sec_\w+ +connection +1/m)
  expect((await json<{ items: Secret[] }>('secret', 'list')).items).toContainEqual(secret)
  expect((await skillet(['secret', 'show', 'db'])).out).toContain(secret.path)
  expect(await json('secret', 'show', secret.id)).toEqual(secret)
  expect((await skillet(['secret', 'delete', 'db'])).code).toBe(2)
  expect(await json('secret', 'delete', 'db', '--yes')).toEqual({ deleted: 'db' })
  expect((await skillet(['secret', 'show', 'db'])).code).toBe(5)
})

test('a stage gets references by name and loses them', async () => {
  for (const name of ['a', 'b', 'c']) await skillet(['secret', 'create', name, '--value-stdin'], VALUE)
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => json<Secret>('secret', 'show', name)))
  expect((await config('--secret', 'A=a', '--secret', 'B=b', '--env', 'X=y')).secret_refs).toEqual({
    A: a!.id,
    B: b!.id,
  })
  expect(await config('--no-secret', 'A', '--secret', 'C=c')).toEqual({
    env: { X: 'y' },
    secret_refs: { B: b!.id, C: c!.id },
  })
  const inUse = await skillet(['secret', 'delete', 'c', '--yes'])
  expect(inUse).toMatchObject({ code: 1, err: expect.stringContaining('notes/dev') })
  const unknown = await skillet(['stage', 'config', 'notes', 'dev', '--secret', 'D=none'])
  expect(unknown).toMatchObject({
    code: 1,
    err: expect.stringContaining('/config/secret_refs/D: is no secret: "none"'),
  })
  const reserved = await skillet(['stage', 'config', 'notes', 'dev', '--secret', 'Ld_Preload=a'])
  expect(reserved).toMatchObject({ code: 1, err: expect.stringContaining('Ld_Preload is a reserved name') })
  expect((await config('--no-secret', 'B', '--no-secret', 'C', '--no-secret', 'NONE')).secret_refs).toEqual({})
})

test('what cannot be a value is refused without being shown', async () => {
  expect(await create([])).toMatchObject({ code: 2, err: expect.stringContaining('--value-stdin or --value-file') })
  for (const args of [[VALUE], ['--value', VALUE], [`--value=${VALUE}`]]) {
    expect(await create(args)).toMatchObject({ code: 2, err: expect.stringContaining('never an argument') })
    expect((await skillet(['secret', 'update', 'kept', ...args])).code).toBe(2)
  }
  expect(await create(['--value-stdin', '--value-file', 'x'])).toMatchObject({ code: 2 })
  expect(await create(['--value-file', 'nowhere'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('cannot be read'),
  })
  expect(await create(['--value-stdin'], '\n')).toMatchObject({ code: 1, err: expect.stringContaining('is empty') })
  expect(await create(['--value-stdin', '--kind', 'connection'], VALUE)).toMatchObject({ code: 1 })
  await writeFile(join(cwd, 'binary'), Buffer.concat([Buffer.from(VALUE), Buffer.from([0xff])]))
  expect(await create(['--value-file', 'binary'])).toMatchObject({ code: 2, err: expect.stringContaining('no UTF-8') })
  expect((await json<{ items: Secret[] }>('secret', 'list')).items.map(({ name }) => name)).not.toContain('bad')
})

test("the master key is rotated with the operator's key that lies in the data folder", async () => {
  await skillet(['secret', 'create', 'kept', '--value-stdin'], VALUE)
  const { rewrapped } = await json<{ rewrapped: number }>('secret', 'rotate-master-key')
  expect(rewrapped).toBeGreaterThan(0)
  expect(await valueOf('kept')).toBe(VALUE)
})
