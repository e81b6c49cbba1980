import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { OidcConfigError, readOidcFile } from './oidc-config.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-oidc-config-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const ISSUER = {
  name: 'corp',
  issuer: 'https://login.example.com',
  audience: 'skillet',
  tenant: { value: 'acme' },
  role: { claim: 'roles', map: { admins: 'owner' } },
}

async function read(text: string) {
  const file = join(folder, 'issuers.json')
  await writeFile(file, text)
  return readOidcFile(file)
}
const readIssuers = (...issuers: object[]) => read(JSON.stringify({ issuers }))

/** What the start says. */
async function complaint(reading: Promise<unknown>): Promise<string> {
  const error = await reading.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(OidcConfigError)
  expect((error as OidcConfigError).fix).toContain('docs/oidc.md')
  return (error as OidcConfigError).message
}

test('what is left out has defaults', async () => {
  expect(await readIssuers(ISSUER)).toEqual([
    { ...ISSUER, algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'], clock_skew_s: 60 },
  ])
})

test('the example of the documentation is good', async () => {
  const page = await readFile(new URL('../../docs/oidc.md', import.meta.url), 'utf8')
  expect(await read(/```json\n([^`]*)```/.exec(page)![1]!)).toMatchObject([{ name: 'corp' }])
})

test.each([
  ['none', { algorithms: ['none'] }, '"none" is refused'],
  ['a shared secret', { algorithms: ['ES256', 'HS256'] }, 'issuers[0].algorithms[1]: "HS256" is refused'],
  ['no algorithm', { algorithms: [] }, 'issuers[0].algorithms'],
  ['plain HTTP', { issuer: 'http://login.example.com' }, 'issuers[0].issuer: must be an https URL'],
  ['no URL', { issuer: 'corp' }, 'issuers[0].issuer'],
  ['a query', { issuer: 'https://login.example.com?a=b' }, 'issuers[0].issuer'],
  ['credentials', { issuer: 'https://me:pw@login.example.com' }, 'issuers[0].issuer'],
  ['a host that only looks like this machine', { issuer: 'http://127.0.0.1.example.com' }, 'issuers[0].issuer'],
  ['clocks that are too far apart', { clock_skew_s: 301 }, 'issuers[0].clock_skew_s'],
  ['a name for people', { name: 'Our Corp' }, 'issuers[0].name'],
  ['an operator', { role: { claim: 'roles', map: { admins: 'operator' } } }, 'issuers[0].role.map.admins'],
  ['a tenant by value and claim', { tenant: { value: 'acme', claim: 'org' } }, 'issuers[0].tenant'],
  ['a member that does not exist', { audiences: ['a'] }, 'audiences'],
])('refused: %s', async (_what, change, where) => {
  expect(await complaint(readIssuers({ ...ISSUER, ...change }))).toContain(where)
})

test('issuers must be told apart', async () => {
  expect(await complaint(readIssuers(ISSUER, { ...ISSUER, audience: 'other' }))).toContain('names of their own')
  expect(await complaint(readIssuers(ISSUER, { ...ISSUER, name: 'other' }))).toContain('differ in issuer or audience')
  expect(await readIssuers(ISSUER, { ...ISSUER, name: 'other', audience: 'other' })).toHaveLength(2)
})

test('http is good on this machine itself', async () => {
  for (const host of ['localhost:8080', '127.0.0.1:1', '[::1]:1']) {
    expect(await readIssuers({ ...ISSUER, issuer: `http://${host}` })).toHaveLength(1)
  }
})

test('a file that is missing or no JSON is named', async () => {
  expect(await complaint(read('{'))).toContain(join(folder, 'issuers.json'))
  expect(await complaint(readOidcFile(join(folder, 'nothing.json')))).toContain('ENOENT')
})
