import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cast, SKILL, STAGE, type Somebody, type World, castOf, makeWorld } from './fixtures/authority-world.ts'

let world: World
let cast: Cast
beforeAll(async () => {
  world = await makeWorld()
  cast = await castOf(world)
})
afterAll(async () => {
  expect(world.server.faults).toEqual([])
  await world.server.close()
})

test('a grant of a stage shows that stage, its runs, and no other', async () => {
  const { make, server } = world
  const onDev = world.newName()
  await make('PUT', `/api/skills/${SKILL}/stages/${onDev}`, {})
  const developer = await world.newKey('developer')
  await make('POST', '/api/grants', { principal: developer.id, allowed_skills: [SKILL], stages: [STAGE] })
  const get = async <T>(path: string) => (await server.call<T>('GET', path, undefined, { key: developer.key })).body
  const stages = await get<{ items: { name: string }[] }>(`/api/skills/${SKILL}/stages`)
  expect(stages.items.map(({ name }) => name)).toEqual([STAGE])
  const skills = await get<{ items: { name: string }[] }>('/api/skills')
  expect(skills.items.map(({ name }) => name)).toEqual([SKILL])
  const mine = await get<{ grants: { stages: string[] }[] }>('/api/whoami')
  expect(mine.grants.map((grant) => grant.stages)).toEqual([[STAGE]])
  const run = await world.newRun('key_another')
  const runs = await get<{ items: { id: string; stage: string }[] }>('/api/runs?limit=200')
  expect(runs.items[0]!.id).toBe(run)
  expect(new Set(runs.items.map(({ stage }) => stage))).toEqual(new Set([world.stage.id]))
})

test("an agent lists its own runs, and is refused another's", async () => {
  const { id, key } = cast['agent with a grant']
  const [own, anothers] = [await world.newRun(id), await world.newRun('key_another')]
  const { body } = await world.server.call<{ items: { created_by: string; id: string }[] }>(
    'GET',
    '/api/runs',
    undefined,
    { key },
  )
  expect(body.items.map((run) => run.id)).toContain(own)
  expect(new Set(body.items.map((run) => run.created_by))).toEqual(new Set([id]))
  const refused = await world.server.call('GET', `/api/runs/${anothers}`, undefined, { key })
  expect([refused.status, (refused.body as { code: string }).code]).toEqual([403, 'not_granted'])
})

test("an Idempotency-Key is its sender's own", async () => {
  const path = `/api/skills/${SKILL}/stages/${STAGE}/invoke`
  const invoke = async ({ key }: Somebody) =>
    (
      await world.server.call<{ run_id: string }>(
        'POST',
        path,
        { input: { a: 1 } },
        { key, headers: { 'idempotency-key': 'daily' } },
      )
    ).body.run_id
  const [developer, agent] = [cast['developer with a grant'], cast['agent with a grant']]
  const run = await invoke(developer)
  expect(await invoke(agent)).not.toBe(run)
  expect(await invoke(developer)).toBe(run)
})

test('a grant that is taken away counts at once, and so does one that is given', async () => {
  const developer = await world.newKey('developer')
  const invoke = async () =>
    (
      await world.server.call(
        'POST',
        `/api/skills/${SKILL}/stages/${STAGE}/invoke`,
        { input: { a: 1 } },
        { key: developer.key },
      )
    ).status
  expect(await invoke()).toBe(403)
  const grant = await world.make<{ id: string }>('POST', '/api/grants', {
    principal: developer.id,
    allowed_skills: ['*'],
  })
  expect(await invoke()).toBe(202)
  await world.make('DELETE', `/api/grants/${grant.id}`)
  expect(await invoke()).toBe(403)
  await world.make('POST', '/api/grants', { principal: developer.id, allowed_skills: ['*'] })
  expect(await invoke()).toBe(202)
  await world.make('DELETE', `/api/keys/${developer.id}`)
  expect(await invoke()).toBe(401)
})

test('denials are in the audit log of the tenant, with what was asked for and without what was sent', async () => {
  const developer = await world.newKey('developer')
  const path = `/api/skills/${SKILL}/stages/${STAGE}/invoke`
  await world.server.call('POST', path, { input: { canary: 'never written' } }, { key: developer.key })
  const { items } = await world.server.engine.audit.list(world.tenant, { limit: 1, actor: developer.id })
  expect(items).toMatchObject([
    {
      action: 'access.denied',
      outcome: 'denied',
      actor: developer.id,
      target_kind: 'stage',
      target: `${SKILL}/${STAGE}`,
      client: '127.0.0.1',
      detail: {
        operation: 'runs.invoke',
        method: 'POST',
        path: '/api/skills/{skill}/stages/{stage}/invoke',
        params: { skill: SKILL, stage: STAGE },
        code: 'not_granted',
      },
    },
  ])
  expect(JSON.stringify(items)).not.toContain('never written')
})
