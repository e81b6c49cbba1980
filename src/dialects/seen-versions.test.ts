import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packageOf } from '../http/fixtures/packages.ts'
import { type TestServer, startTestServer } from '../http/fixtures/test-server.ts'
import { GUIDE, guideOf } from './fixtures/guides.ts'

let server: TestServer
const keys: Record<string, string> = {}

beforeAll(async () => {
  server = await startTestServer()
  for (const content of ['one', 'two', 'three']) await server.deploy(GUIDE, 'prod', guideOf(content))
  await server.call('POST', '/api/skills/guide/stages/prod/rollback', {})
  await server.deploy('adder', 'prod', packageOf('adds'))
  await server.call('POST', '/api/skills', { name: 'empty' })
  for (const stages of [['prod'], ['dev'], null]) {
    const { body } = await server.call<{ id: string; key: string }>('POST', '/api/keys', { role: 'agent', name: 'a' })
    const grant = { principal: body.id, allowed_skills: ['*'], ...(stages !== null && { stages }) }
    expect((await server.call('POST', '/api/grants', grant)).status).toBe(201)
    keys[String(stages)] = body.key
  }
})
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})

interface Told {
  readonly default_version?: string
  readonly latest_version?: string | null
  readonly version?: string
  readonly data?: { readonly name: string; readonly version: string; readonly latest_version: string }[]
}

async function ask(key: string, path: string): Promise<{ status: number; body: Told }> {
  const answer = await fetch(new URL(path, server.url), { headers: { authorization: `Bearer ${key}` } })
  return { status: answer.status, body: (await answer.json()) as Told }
}

describe('whoever may see', () => {
  test.each(['null', 'owner'])('the whole skill sees all versions (%s)', async (who) => {
    const key = keys[who] ?? server.key
    expect((await ask(key, '/v1/skills/guide')).body).toMatchObject({ default_version: '2', latest_version: '3' })
    const { body } = await ask(key, '/v1/skills/guide/versions')
    expect(body.data!.map(({ version }) => version)).toEqual(['3', '2', '1'])
    expect((await ask(key, '/v1/skills/guide/versions/latest')).body.version).toBe('3')
    expect((await ask(key, '/v1/skills/guide/versions/prod')).body.version).toBe('2')
  })

  test('stage prod alone sees what that serves, whatever it is called', async () => {
    const key = keys['prod']!
    expect((await ask(key, '/v1/skills')).body.data).toMatchObject([{ name: 'guide', latest_version: '2' }])
    expect((await ask(key, '/v1/skills/guide')).body).toMatchObject({ default_version: '2', latest_version: '2' })
    expect((await ask(key, '/v1/skills/guide/versions')).body.data!.map(({ version }) => version)).toEqual(['2'])
    for (const name of ['latest', 'prod', '2']) {
      expect([name, (await ask(key, `/v1/skills/guide/versions/${name}`)).body.version]).toEqual([name, '2'])
    }
    for (const name of ['1', '3', '1.0.0', 'dev']) {
      expect([name, (await ask(key, `/v1/skills/guide/versions/${name}`)).status]).toEqual([name, 404])
    }
    expect((await ask(key, '/v1/skills/empty')).status).toBe(404)
  })

  test('another stage alone sees nothing', async () => {
    const key = keys['dev']!
    expect((await ask(key, '/v1/skills')).body.data).toEqual([])
    expect((await ask(key, '/v1/skills/guide')).status).toBe(404)
  })
})

test.each<[string, Record<string, string>]>([
  ['OpenAI', {}],
  ['Claude', { 'anthropic-version': '2023-06-01' }],
  ['Claude, beta', { 'anthropic-beta': 'skills-2025-10-02' }],
])('no version is deleted by a name that leads to the next one afterwards: %s', async (_dialect, more) => {
  await server.deploy('falling', 'prod', guideOf('falling', 'falling'))
  await server.deploy('falling', 'prod', guideOf(`falling ${JSON.stringify(more)}`, 'falling'))
  const remove = async (name: string): Promise<number> => {
    const headers = { authorization: `Bearer ${server.key}`, ...more }
    const url = new URL(`/v1/skills/falling/versions/${name}`, server.url)
    return (await fetch(url, { method: 'DELETE', headers })).status
  }
  const { body } = await ask(server.key, '/v1/skills/falling/versions')
  for (const name of ['latest', 'prod']) expect([name, await remove(name)]).toEqual([name, 400])
  expect((await ask(server.key, '/v1/skills/falling/versions')).body).toEqual(body)
  expect(await remove(body.data![0]!.version)).toBe(200)
})

test('what only the other API has is refused with what this one has', async () => {
  const headers = {
    authorization: `Bearer ${server.key}`,
    'anthropic-version': '1',
    'content-type': 'application/json',
  }
  const body = JSON.stringify({ default_version: '1' })
  for (const path of ['/v1/skills/guide', '/v1/skills/nobody']) {
    const answer = await fetch(new URL(path, server.url), { method: 'POST', headers, body })
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, DELETE, HEAD'])
  }
})

test('functions are tools, not files; a skill without versions can be found', async () => {
  expect((await ask(server.key, '/v1/skills')).body.data!.map(({ name }) => name)).toEqual(['falling', 'guide'])
  expect((await ask(server.key, '/v1/skills/adder')).status).toBe(404)
  expect((await ask(server.key, '/v1/skills/empty')).body).toMatchObject({
    default_version: null,
    latest_version: null,
  })
})
