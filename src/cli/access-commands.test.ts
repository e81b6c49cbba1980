import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, afterEach, expect, test } from 'vitest'
import { type CliResult, cli } from '../../tests/support/cli.ts'
import { type TestServer, startTestServer } from '../http/fixtures/test-server.ts'
import type { ApiKey, Grant, Tenant } from '../model/access.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await writeFile(join(server.dataDir, 'server.json'), JSON.stringify({ url: server.url, pid: process.pid }))
  for (const name of ['notes', 'other']) await server.call('POST', '/api/skills', { name })
})
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})

let cwd: string
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'skillet-access-commands-'))
})
afterEach(() => rm(cwd, { recursive: true, force: true }))

/** With nothing but the data folder: whose key is taken is up to the command. */
const skillet = (...args: string[]): Promise<CliResult> => cli(args, { env: { SKILLET_DATA: server.dataDir }, cwd })
const json = async <T>(...args: string[]): Promise<T> => {
  const { code, out, err } = await skillet(...args, '--json')
  expect([code, err]).toEqual([0, ''])
  return JSON.parse(out) as T
}
const countKeys = async (): Promise<number> =>
  (await json<{ items: ApiKey[] }>('key', 'list', '--limit', '200')).items.length
const whoami = async (key: string) =>
  (await server.call<{ role: string; tenant: string }>('GET', '/api/whoami', undefined, { key })).body
const KEY = /^sk_[0-9A-Za-z]{43}\n$/

test('a tenant is made, shown, suspended and resumed with the key of the operator that lies in the data folder', async () => {
  const made = await skillet('tenant', 'create', 'acme', '--zone', 'Europe/Berlin')
  expect(made).toMatchObject({ code: 0, out: expect.stringMatching(KEY), err: expect.stringContaining('acme (ten_') })
  expect(made.err).not.toContain(made.out.trim())
  const tenant = await json<Tenant>('tenant', 'show', 'acme')
  expect(tenant).toMatchObject({ name: 'acme', zone: 'Europe/Berlin', suspended: false })
  expect(await whoami(made.out.trim())).toMatchObject({ role: 'owner', tenant: tenant.id })
  expect((await skillet('tenant', 'show', tenant.id)).out).toMatch(/state {4}active\nzone {5}Europe\/Berlin/)

  expect((await skillet('tenant', 'zone', 'acme', 'Asia/Tokyo')).out).toContain('begin in Asia/Tokyo')
  expect((await skillet('tenant', 'zone', 'acme', 'Asia/Nowhere')).code).toBe(1)
  expect((await skillet('tenant', 'zone', 'acme', 'Europe/Berlin')).code).toBe(0)
  expect((await skillet('tenant', 'retention', 'acme', '7')).out).toContain('acme keeps what is over for 7 days')
  expect((await skillet('tenant', 'show', 'acme')).out).toContain('keeps    7 days')
  expect((await skillet('tenant', 'retention', 'acme', '30')).code).toBe(0)

  expect((await skillet('tenant', 'suspend', 'acme')).out).toContain('skillet tenant resume acme')
  const refused = await cli(['skill', 'list'], { env: { SKILLET_URL: server.url, SKILLET_KEY: made.out.trim() } })
  expect(refused).toMatchObject({ code: 4, out: '' })
  expect((await skillet('tenant', 'list')).out).toMatch(/^acme +ten_\w+ +suspended +Europe\/Berlin/m)
  expect(await json('tenant', 'resume', 'acme')).toEqual(tenant)
  expect(await whoami(made.out.trim())).toMatchObject({ role: 'owner' })
})

test('a tenant that lost its keys gets one from the operator; the owner of another cannot help it', async () => {
  const { tenant, owner_key } = await json<{ tenant: Tenant; owner_key: { key: string } }>('tenant', 'create', 'lost')
  expect(await whoami(owner_key.key)).toMatchObject({ tenant: tenant.id })
  const again = await json<ApiKey & { key: string }>('key', 'create', 'again', '--tenant', 'lost')
  expect(await whoami(again.key)).toMatchObject({ role: 'owner', tenant: tenant.id })
  const asOwner = await cli(['tenant', 'list'], { env: { SKILLET_URL: server.url, SKILLET_KEY: server.key } })
  expect(asOwner).toMatchObject({ code: 4, out: '' })
})

test('operators make, list and revoke their own keys; owners make none of those, and operators no others', async () => {
  const spare = await json<ApiKey & { key: string }>('key', 'create', 'spare', '--role', 'operator')
  expect(await whoami(spare.key)).toMatchObject({ role: 'operator' })
  expect((await skillet('key', 'list', '--operator')).out).toMatch(new RegExp(`^${spare.id} +operator `, 'm'))
  expect((await skillet('key', 'list')).out).not.toContain(spare.id)
  expect(await skillet('key', 'revoke', spare.id)).toMatchObject({ code: 5 })
  expect((await skillet('key', 'revoke', spare.id, '--operator')).out).toContain('is revoked since')
  expect((await server.call('GET', '/api/tenants', undefined, { key: spare.key })).status).toBe(401)
  const asOwner = await server.call('POST', '/api/keys', { role: 'operator', name: 'x' })
  const asOperator = await server.call('POST', '/api/keys', { role: 'owner', name: 'x' }, { key: server.operatorKey })
  expect([asOwner, asOperator].map(({ status }) => status)).toEqual([400, 400])
})

test('a key is shown once, on stdout; lists show its prefix; once revoked it is of no use', async () => {
  const made = await skillet('key', 'create', 'ci', '--role', 'agent', '--until', '2999-12-31')
  expect(made).toMatchObject({ code: 0, out: expect.stringMatching(KEY) })
  const key = made.out.trim()
  const id = /key_\w+/.exec(made.err)![0]
  const listed = await skillet('key', 'list')
  expect(listed.out).toMatch(
    new RegExp(`^${id} +agent +${key.slice(0, 11)}… +until 3000-01-01T00:00:00.000Z .* ci$`, 'm'),
  )
  expect(listed.out).not.toContain(key)
  expect((await skillet('key', 'revoke', id)).out).toContain(`${id} (ci) is revoked`)
  const used = await cli(['whoami'], { env: { SKILLET_URL: server.url, SKILLET_KEY: key } })
  expect(used).toMatchObject({ code: 4, out: '' })
  expect((await skillet('key', 'list')).out).toMatch(new RegExp(`^${id} .* revoked `, 'm'))
})

test('a key goes into a new file that only its maker can read, and nowhere else', async () => {
  const made = await skillet('key', 'create', 'ci', '--role', 'agent', '--output', 'ci.key')
  const file = join(cwd, 'ci.key')
  const text = await readFile(file, 'utf8')
  expect(text).toMatch(KEY)
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(made).toMatchObject({ code: 0, out: '', err: expect.stringContaining(file) })
  expect(made.err).not.toContain(text.trim())
  const used = await cli(['--key-file', file, 'whoami', '--json'], { env: { SKILLET_URL: server.url } })
  expect(JSON.parse(used.out)).toMatchObject({ role: 'agent' })
  const other = await json<{ owner_key: object }>('tenant', 'create', 'filed', '--output', 'filed.key')
  expect(other.owner_key).toMatchObject({ role: 'owner', key_file: join(cwd, 'filed.key') })
  expect(other.owner_key).not.toHaveProperty('key')
})

test('no key is made that cannot be kept, and no file is left of a key that was not made', async () => {
  await writeFile(join(cwd, 'taken'), 'precious')
  const before = await countKeys()
  for (const file of ['taken', 'nowhere/x.key']) {
    const refused = await skillet('key', 'create', 'x', '--role', 'agent', '--output', file)
    expect(refused).toMatchObject({ code: 2, out: '', err: expect.stringContaining('No key was made.') })
  }
  const late = await skillet('key', 'create', 'x', '--role', 'agent', '--until', '2020-01-01', '--output', 'x.key')
  expect(late).toMatchObject({ code: 1, err: expect.stringContaining('not in the future') })
  expect(await readdir(cwd)).toEqual(['taken'])
  expect(await readFile(join(cwd, 'taken'), 'utf8')).toBe('precious')
  expect(await countKeys()).toBe(before)
})

test('skills are granted by name, to a key or to a subject, until a day, and taken back', async () => {
  const agent = await json<ApiKey>('key', 'create', 'bot', '--role', 'agent')
  const options = [
    'grant',
    'create',
    agent.id,
    '--skill',
    'notes',
    '--skill',
    'other',
    '--stage',
    'prod',
    '--until',
    '2999-12-31',
  ]
  const some = await json<Grant>(...options)
  expect(some).toMatchObject({ principal: agent.id, stages: ['prod'], expires_at: '3000-01-01T00:00:00.000Z' })
  expect(some.allowed_skills).toHaveLength(2)
  const all = await skillet('grant', 'create', 'oidc:corp:anna', '--all-skills')
  expect(all).toMatchObject({ code: 0, out: expect.stringMatching(/^gra_\w+\n$/) })
  expect(await json<Grant>('grant', 'create', 'bot', '--skill', 'notes')).toMatchObject({ principal: agent.id })
  const listed = (await skillet('grant', 'list')).out
  expect(listed).toMatch(/^gra_\w+ +oidc:corp:anna +for ever +all +all$/m)
  expect(listed).toMatch(new RegExp(`^${some.id} +${agent.id} +3000-\\S+ +prod +skl_\\w+,skl_\\w+$`, 'm'))
  expect((await json<{ items: Grant[] }>('grant', 'list', '--principal', agent.id)).items).toContainEqual(some)
  expect((await skillet('grant', 'delete', some.id)).out).toBe(`${some.id} was deleted.\n`)
  expect(await skillet('grant', 'delete', some.id)).toMatchObject({ code: 5, out: '' })
})

test.each([
  [['key', 'create', 'x'], 2, '--role'],
  [['key', 'create', 'x', '--role', 'agent', '--tenant', 'acme'], 2, 'Leave --role out'],
  [['key', 'create', 'x', '--role', 'agent', '--until', 'soon'], 2, 'neither a day'],
  [['key', 'create', 'x', '--role', 'agent', '--until', '2999-02-30'], 2, 'neither a day'],
  [['grant', 'create', 'key_x'], 2, '--all-skills'],
  [['grant', 'create', 'nobody', '--all-skills'], 2, 'No key is named "nobody"'],
  [['grant', 'create', 'key_x', '--all-skills', '--skill', 'notes'], 2, '--all-skills'],
  [['grant', 'create', 'key_x', '--all-skills'], 1, 'no key "key_x" in force'],
  [['grant', 'create', 'oidc:a:b', '--skill', 'nonesuch'], 1, '/allowed_skills/0: is no skill: "nonesuch"'],
  [['tenant', 'create', 'operator'], 1, 'No tenant can be named "operator"'],
  [['tenant', 'create', 'x', '--zone', 'Mars/Base'], 1, '"Mars/Base" is not a time zone'],
  [['tenant', 'retention', 'default', 'ever'], 2, '"ever" is no number of days'],
  [['tenant', 'retention', 'default', '181'], 1, '/retention_days'],
  [['tenant', 'retention', 'default', '0'], 1, '/retention_days'],
  [['tenant', 'show', 'operator'], 5, 'no tenant "operator"'],
  [['key', 'revoke', 'key_none'], 5, 'no key "key_none"'],
])('what cannot be done is said and done by nobody: %j', async (args, code, said) => {
  const result = await skillet(...args)
  expect(result.err).toContain(said)
  expect([result.code, result.out]).toEqual([code, ''])
})

test('a link is shown once, is for what it was made for, and leads nowhere once it is revoked', async () => {
  const made = await skillet('link', 'create', 'for ci', '--skill', 'notes', '--stage', 'dev', '--until', '2999-12-31')
  expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/\/t\/lk_[0-9A-Za-z]{43}\n$/) })
  const url = made.out.trim()
  const token = url.split('/').at(-1)!
  expect(made.err).not.toContain(token)
  const id = /lnk_\w+/.exec(made.err)![0]
  const listed = await skillet('link', 'list')
  expect(listed.out).toMatch(
    new RegExp(`^${id} +${token.slice(0, 11)}… +dev +1 +until 3000-01-01T00:00:00.000Z .* for ci$`, 'm'),
  )
  expect(listed.out).not.toContain(token)
  const status = async () => (await fetch(`${url}/.well-known/agent-skills/index.json`)).status
  expect(await status()).toBe(200)
  expect((await skillet('link', 'revoke', id)).out).toContain(`${id} (for ci) is revoked`)
  expect(await status()).toBe(404)
  expect((await skillet('link', 'list')).out).toMatch(new RegExp(`^${id} .* revoked `, 'm'))
  expect(await skillet('link', 'create', 'x', '--skill', 'nothing')).toMatchObject({ code: 1, out: '' })
  expect(await skillet('link', 'revoke', 'lnk_nothing')).toMatchObject({ code: 5 })
  const all = await json<{ skills: string[]; stage: string; token: string; url: string }>('link', 'create', 'all')
  expect(all).toMatchObject({ skills: ['*'], stage: 'prod', url: `${server.url}/t/${all.token}` })
})
