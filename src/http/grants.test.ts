import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ApiKey, Grant } from '../model/access.ts'
import { now } from '../model/json.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'

interface Refusal {
  code: string
  errors: { pointer: string }[]
}

let server: TestServer
let agent: ApiKey & { key: string }
let notes: { id: string }
let other: { id: string }
beforeAll(async () => {
  server = await startTestServer()
  agent = await keyOf('agent')
  notes = (await server.call<{ id: string }>('POST', '/api/skills', { name: 'notes' })).body
  other = (await server.call<{ id: string }>('POST', '/api/skills', { name: 'other' })).body
})
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})

const keyOf = async (role: string) =>
  (await server.call<ApiKey & { key: string }>('POST', '/api/keys', { role, name: role })).body
const grant = async (body: object): Promise<Grant> => {
  const answer = await server.call<Grant>('POST', '/api/grants', { principal: agent.id, ...body })
  expect(answer.status).toBe(201)
  return answer.body
}
const grantsOf = async (principal: string): Promise<Grant[]> =>
  (await server.call<{ items: Grant[] }>('GET', `/api/grants?principal=${encodeURIComponent(principal)}`)).body.items

test('skills are granted by name or id and kept as ids, each once', async () => {
  const answer = await server.call<Grant>('POST', '/api/grants', {
    principal: agent.id,
    allowed_skills: ['other', notes.id, 'notes'],
    stages: ['prod', 'dev', 'prod'],
    expires_at: '2999-01-01T00:00:00Z',
  })
  expect(answer.status).toBe(201)
  expect(answer.headers.get('location')).toBe(`/api/grants/${answer.body.id}`)
  expect(answer.body).toMatchObject({
    principal: agent.id,
    allowed_skills: [notes.id, other.id].toSorted(),
    stages: ['dev', 'prod'],
    expires_at: '2999-01-01T00:00:00.000Z',
  })
  expect((await server.call('GET', `/api/grants/${answer.body.id}`)).body).toEqual(answer.body)
  expect(await grantsOf(agent.id)).toContainEqual(answer.body)
})

test('all skills, and subjects of an issuer', async () => {
  const all = await grant({ principal: 'oidc:corp:auth0|Anna O', allowed_skills: ['*'] })
  expect(all).toMatchObject({ allowed_skills: ['*'], stages: null, expires_at: null })
  expect(await grantsOf(all.principal)).toEqual([all])
})

test('what is no principal, no skill or no future is refused, with the places', async () => {
  const owner = (await server.call<{ key: string }>('GET', '/api/whoami')).body.key
  const revoked = await keyOf('agent')
  await server.call('DELETE', `/api/keys/${revoked.id}`)
  const stranger = await server.strangerKey('agent')
  const theirs = (await server.call<{ key: string }>('GET', '/api/whoami', undefined, { key: stranger })).body.key
  const principal = agent.id
  const allowed_skills = ['notes']
  const cases: [object, string, string[]][] = [
    [{ principal: 'key_none', allowed_skills }, 'principal_unknown', ['/principal']],
    [{ principal: revoked.id, allowed_skills }, 'principal_unknown', ['/principal']],
    [{ principal: theirs, allowed_skills }, 'principal_unknown', ['/principal']],
    [{ principal: 'oidc:corp', allowed_skills }, 'principal_unknown', ['/principal']],
    [{ principal: 'oidc:corp:two\nlines', allowed_skills }, 'principal_unknown', ['/principal']],
    [{ principal: owner, allowed_skills }, 'bad_request', ['/principal']],
    [
      { principal, allowed_skills: ['none', 'notes', 'gone'] },
      'skill_unknown',
      ['/allowed_skills/0', '/allowed_skills/2'],
    ],
    [{ principal, allowed_skills: ['notes', '*'] }, 'skill_unknown', ['/allowed_skills/1']],
    [{ principal, allowed_skills: [] }, 'bad_request', ['/allowed_skills']],
    [{ principal, allowed_skills, stages: [] }, 'bad_request', ['/stages']],
    [{ principal, allowed_skills, stages: ['No Name'] }, 'bad_request', ['/stages/0']],
    [{ principal, allowed_skills, expires_at: now() }, 'bad_request', ['/expires_at']],
    [{ principal }, 'bad_request', ['/allowed_skills']],
  ]
  const before = (await grantsOf(agent.id)).length
  for (const [body, code, pointers] of cases) {
    const answer = await server.call<Refusal>('POST', '/api/grants', body)
    const places = answer.body.errors.map(({ pointer }) => pointer)
    expect([body, answer.status, answer.body.code, places]).toEqual([body, 400, code, pointers])
  }
  expect(await grantsOf(agent.id)).toHaveLength(before)
})

test('a deleted grant is gone, and so are those of a revoked key', async () => {
  const one = await grant({ allowed_skills: ['notes'] })
  expect((await server.call('DELETE', `/api/grants/${one.id}`)).status).toBe(204)
  for (const method of ['GET', 'DELETE']) {
    expect((await server.call(method, `/api/grants/${one.id}`)).status).toBe(404)
  }
  const leaver = await keyOf('developer')
  const theirs = await grant({ principal: leaver.id, allowed_skills: ['*'] })
  await server.call('DELETE', `/api/keys/${leaver.id}`)
  expect(await grantsOf(leaver.id)).toEqual([])
  const rows = (await server.engine.audit.read(agent.tenant, 0, 1000)).filter(({ target }) =>
    [one.id, theirs.id, leaver.id].includes(target),
  )
  expect(rows.map(({ action, target }) => [action, target])).toEqual([
    ['grant.create', one.id],
    ['grant.delete', one.id],
    ['key.create', leaver.id],
    ['grant.create', theirs.id],
    ['key.revoke', leaver.id],
  ])
  expect(rows.at(-1)!.detail).toEqual({ deleted_grants: [theirs.id] })
})

test("another tenant's grants are as absent as those that never were", async () => {
  const mine = await grant({ allowed_skills: ['*'] })
  const key = await server.strangerKey()
  for (const method of ['GET', 'DELETE']) {
    const answer = await server.call<Refusal>(method, `/api/grants/${mine.id}`, undefined, { key })
    expect([method, answer.status, answer.body.code]).toEqual([method, 404, 'not_found'])
  }
  const { items } = (await server.call<{ items: Grant[] }>('GET', '/api/grants', undefined, { key })).body
  expect(items).toEqual([])
  const skill = await server.call<Refusal>(
    'POST',
    '/api/grants',
    { principal: 'oidc:a:b', allowed_skills: [notes.id] },
    { key },
  )
  expect([skill.status, skill.body.code]).toEqual([400, 'skill_unknown'])
  expect((await server.call('GET', `/api/grants/${mine.id}`)).body).toEqual(mine)
})
