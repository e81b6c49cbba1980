import { afterAll, beforeAll, expect, test } from 'vitest'
import { type SigningKey, verifySignature } from '../model/signatures.ts'
import { packageOf } from './fixtures/packages.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'

let server: TestServer
beforeAll(async () => void (server = await startTestServer()))
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})

const keysFor = async (key?: string): Promise<SigningKey[]> =>
  (await server.call<{ items: SigningKey[] }>('GET', '/api/signing-keys', undefined, key === undefined ? {} : { key }))
    .body.items

test('a version is signed by any of its names, and holds under the key of its tenant', async () => {
  const source = packageOf('signed')
  await server.deploy('signed', 'prod', source)
  const signature = async (name: string) =>
    (await server.call('GET', `/api/skills/signed/versions/${name}/signature`)).body
  expect(await signature('prod')).toEqual(await signature('1.0.0'))
  expect(verifySignature(await signature('latest'), await keysFor(), source.digest)).toMatchObject({
    statement: { predicate: { skill: 'signed', version: '1.0.0' } },
  })
})

test('the keys of whoever provides what comes with the server are there for all, those of other tenants for nobody', async () => {
  const [own] = await keysFor()
  const stranger = await server.strangerKey('owner')
  const [theirs, ...more] = await keysFor(stranger)
  expect(more).toEqual([])
  expect(theirs!.tenant).not.toBe(own!.tenant)
  const operator = { key: server.operatorKey }
  await server.call('PATCH', `/api/tenants/${own!.tenant}`, { audience: 'server' }, operator)
  expect(await keysFor(stranger)).toEqual([theirs, own])
  expect(await keysFor()).toEqual([own])
})
