import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Secret } from '../model/secrets.ts'
import { LIMITS } from '../model/sizes.ts'
import { RESERVED_NAMES, RESERVED_PREFIXES } from '../runtime/reserved-env.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'

interface Refusal {
  code: string
  errors: { pointer: string; message: string }[]
}

let server: TestServer
let secret: Secret
beforeAll(async () => {
  server = await startTestServer()
  await server.call('POST', '/api/skills', { name: 'notes' })
  secret = (await server.call<Secret>('POST', '/api/secrets', { name: 'token', value: 'hunter2' })).body
})
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})

const put = (config: object) => server.call<Refusal>('PUT', '/api/skills/notes/stages/dev', { config })
const pointers = ({ body }: { body: Refusal }): string[] => body.errors.map(({ pointer }) => pointer)

/** Every reserved name, and one behind every prefix. */
const RESERVED = [...RESERVED_NAMES, ...RESERVED_PREFIXES.flatMap((prefix) => [`${prefix}X`, `${prefix}_1`])]
const swapped = (name: string): string =>
  Array.from(name, (letter, i) => (i % 2 === 0 ? letter.toLowerCase() : letter.toUpperCase())).join('')

test.each([
  ['in upper case', RESERVED],
  ['in lower case', RESERVED.map((name) => name.toLowerCase())],
  ['in mixed case', RESERVED.map(swapped)],
])('every reserved name is refused, %s, with a place for each', async (_, names) => {
  const plain = await put({ env: Object.fromEntries(names.map((name) => [name, 'x'])) })
  expect(plain).toMatchObject({ status: 400, body: { code: 'name_reserved' } })
  expect(pointers(plain)).toEqual(names.map((name) => `/config/env/${name}`))
  const secrets = await put({ secret_refs: Object.fromEntries(names.map((name) => [name, secret.id])) })
  expect(secrets).toMatchObject({ status: 400, body: { code: 'name_reserved' } })
  expect(pointers(secrets)).toEqual(names.map((name) => `/config/secret_refs/${name}`))
})

test('one reserved name among others is told with its place, and nothing is kept', async () => {
  const refused = await put({ env: { FINE: 'x', Ld_Preload: 'x' }, secret_refs: { TOKEN: 'token', bash_env: 'token' } })
  expect(refused).toMatchObject({ status: 400, body: { code: 'name_reserved' } })
  expect(pointers(refused)).toEqual(['/config/env/Ld_Preload', '/config/secret_refs/bash_env'])
  expect((await server.call('GET', '/api/skills/notes/stages/dev')).status).toBe(404)
})

test.each([
  ['empty', ''],
  ['a NUL behind it', 'LD_PRELOAD\0'],
  ['a NUL before it', '\0LD_PRELOAD'],
  ['an equals sign', 'LD_PRELOAD='],
  ['a value in it', 'A=B'],
  ['a space before it', ' LD_PRELOAD'],
  ['a line end', 'LD_PRELOAD\n'],
  ['a digit first', '1A'],
  ['a hyphen', 'A-B'],
  ['a letter that upper-cases to S', 'ſHELLOPTS'],
  ['letters of full width', 'ＬＤ_PRELOAD'],
  ['a dotless letter', 'ıFS'],
  ['too much', 'A'.repeat(101)],
])('a name with %s is refused', async (_, name) => {
  for (const config of [{ env: { [name]: 'x' } }, { secret_refs: { [name]: 'token' } }]) {
    expect(await put(config)).toMatchObject({ status: 400, body: { code: 'bad_request' } })
  }
})

test('a name is plain or secret, not both; another case is another name', async () => {
  const refused = await put({ env: { TOKEN: 'x', OTHER: 'x' }, secret_refs: { TOKEN: 'token' } })
  expect(refused).toMatchObject({ status: 400, body: { code: 'bad_request' } })
  expect(pointers(refused)).toEqual(['/config/secret_refs/TOKEN'])
  expect((await put({ env: { token: 'x' }, secret_refs: { TOKEN: 'token' } })).status).toBe(200)
})

test('a plain value with a NUL is refused', async () => {
  const refused = await put({ env: { A: 'a\0b', B: 'b' } })
  expect(refused).toMatchObject({ status: 400, body: { code: 'bad_request' } })
  expect(pointers(refused)).toEqual(['/config/env/A'])
})

const refs = (count: number) => ({
  secret_refs: Object.fromEntries(Array.from({ length: count }, (_, i) => [`S${i}`, 'token'])),
})

test('a stage refers to so many secrets and no more', async () => {
  expect((await put(refs(LIMITS.secretRefs))).status).toBe(200)
  const refused = await put(refs(LIMITS.secretRefs + 1))
  expect(refused).toMatchObject({ status: 400, body: { code: 'bad_request' } })
  expect(pointers(refused)).toEqual(['/config/secret_refs'])
})

const named = (count: number, name: (i: number) => string): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [name(i), 'x']))

test('more variables than a stage may have are one problem, however many are wrong; of very many problems not each is told', async () => {
  for (const key of ['env', 'secret_refs']) {
    const { status, body } = await put({ [key]: named(19_000, (i) => `-${i}`) })
    const message = `has 19000 entries; at most ${LIMITS.envEntries} are taken`
    expect({ status, errors: body.errors }).toEqual({ status: 400, errors: [{ pointer: `/config/${key}`, message }] })
  }
  expect(await put({ env: named(LIMITS.envEntries, (i) => `V${i}`) })).toMatchObject({ status: 200 })
  const wrong = await put({ env: named(LIMITS.envEntries, (i) => `-${i}`) })
  expect(wrong.body).toMatchObject({ code: 'bad_request', detail: `The body has ${LIMITS.envEntries} problems.` })
  expect(wrong.body.errors).toHaveLength(100)
})
