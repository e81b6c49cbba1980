import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Activity } from '../model/activity.ts'
import { readEvents } from './fixtures/event-reader.ts'
import { packageOf } from './fixtures/packages.ts'
import { finish, take } from './fixtures/played-worker.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'

const PLACES = ['adder/dev', 'adder/prod', 'other/dev'] as const

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ recheckMs: 20 })
  for (const place of PLACES) {
    const [skill, stage] = place.split('/') as [string, string]
    await server.deploy(skill, stage, packageOf(skill))
  }
})
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})

/** Runs it to the end, with a log. */
async function run(place: (typeof PLACES)[number] = 'adder/dev', key?: string): Promise<string> {
  const [skill, stage] = place.split('/')
  const path = `/api/skills/${skill}/stages/${stage}/invoke`
  const options = key === undefined ? {} : { key }
  const { status, body } = await server.call<{ run_id: string }>('POST', path, { input: { a: 1 } }, options)
  expect(status).toBe(202)
  const claim = await take(server.engine, body.run_id)
  await finish(server.engine, claim)
  return body.run_id
}

async function newKey(role: string): Promise<{ id: string; key: string }> {
  return (await server.call<{ id: string; key: string }>('POST', '/api/keys', { role, name: 'reader' })).body
}

const open = (path: string, key = server.key) => readEvents(new URL(path, server.url), key)

const runsOf = (events: readonly { data: string }[]): (string | null)[] =>
  events.slice(1).map(({ data }) => (JSON.parse(data) as Activity).run)

describe('who may read', () => {
  test('a developer sees what its grants cover, until they change', async () => {
    const { id, key } = await newKey('developer')
    const grant = {
      principal: id,
      allowed_skills: [(await server.call<{ id: string }>('GET', '/api/skills/adder')).body.id],
    }
    const made = await server.call<{ id: string }>('POST', '/api/grants', { ...grant, stages: ['dev'] })
    expect(made.status).toBe(201)
    const stream = await open('/api/events', key)
    await stream.until(() => stream.events.length === 1)
    await run('adder/prod')
    await run('other/dev')
    const mine = await run('adder/dev')
    await stream.until(() => stream.events.length === 4)
    expect(runsOf(stream.events)).toEqual([mine, mine, mine])
    expect((await open('/api/skills/adder/stages/prod/events', key)).status).toBe(403)
    const stage = await open('/api/skills/adder/stages/dev/events', key)
    const ofRun = await open(`/api/runs/${await running()}/events`, key)
    expect([stage.status, ofRun.status]).toEqual([200, 200])
    await server.call('DELETE', `/api/grants/${made.body.id}`)
    for (const one of [stream, stage, ofRun]) expect(await one.until(() => false)).toBe(false)
    // Without grants there is a stream, with nothing in it.
    const bare = await open('/api/events', key)
    expect([bare.status, (await open('/api/skills/adder/stages/dev/events', key)).status]).toEqual([200, 403])
    bare.leave()
  })

  test('a key that is revoked reads no further, and others do', async () => {
    const { id, key } = await newKey('viewer')
    const streams = [await open('/api/events', key), await open(`/api/runs/${await running()}/events`, key)]
    const other = await open('/api/events', (await newKey('viewer')).key)
    await server.call('DELETE', `/api/keys/${id}`)
    for (const stream of streams) expect(await stream.until(() => false)).toBe(false)
    expect((await open('/api/events', key)).status).toBe(401)
    await run()
    expect(await other.until(() => other.events.length === 4)).toBe(true)
    other.leave()
  })
})

test('a tenant has so many streams and no more, until one of them is closed', async () => {
  const small = await startTestServer({ streamsPerTenant: 2 })
  try {
    const follow = (key = small.key) => readEvents(`${small.url}/api/events`, key)
    const [first] = [await follow(), await follow()]
    const refused = await small.call<{ code: string }>('GET', '/api/events')
    expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([429, 'rate_limited', '5'])
    expect((await follow(await small.strangerKey())).status).toBe(200)
    first.leave()
    let status = 0
    while (status !== 200) ({ status } = await follow())
  } finally {
    await small.close()
  }
})

async function running(): Promise<string> {
  const path = '/api/skills/adder/stages/dev/invoke'
  const { body } = await server.call<{ run_id: string }>('POST', path, { input: { a: 1 } })
  await take(server.engine, body.run_id)
  return body.run_id
}
