import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Operation, PERMISSIONS, type Permission } from '../access/permissions.ts'
import { AnyRole } from '../model/access.ts'
import { type DocumentedRoute, callRoute, routesOf, sampleOf } from './fixtures/authority-routes.ts'
import { SAMPLES } from './fixtures/authority-samples.ts'
import {
  type Cast,
  POSITIONS,
  type Position,
  SKILL,
  STAGE,
  type Somebody,
  type World,
  castOf,
  makeWorld,
} from './fixtures/authority-world.ts'

/**
 * Who may do what, written down a second time by hand: owner, developer, viewer, agent, operator. Whoever changes the table of
 * permissions has to mean it.
 */
const EXPECTED: Readonly<Record<Operation, string>> = {
  'self.read': 'yes yes yes yes yes',
  'skills.read': 'yes grant yes no no',
  'versions.read': 'yes grant yes no no',
  'skills.write': 'yes no no no no',
  'stages.write': 'yes no no no no',
  'packages.upload': 'yes no no no no',
  'stages.deploy': 'yes no no no no',
  'runs.invoke': 'yes grant no grant no',
  'runs.read': 'yes grant yes own no',
  'runs.control': 'yes grant no own no',
  'keys.manage': 'yes no no no no',
  'grants.manage': 'yes no no no no',
  'secrets.manage': 'yes no no no no',
  'quota.read': 'yes no yes no no',
  'quota.write': 'yes no no no no',
  'audit.read': 'yes no no no yes',
  'tenants.manage': 'no no no no yes',
  'vault.rotate': 'no no no no yes',
}

let world: World
let cast: Cast
let routes: DocumentedRoute[]
beforeAll(async () => {
  world = await makeWorld()
  cast = await castOf(world)
  routes = await routesOf(world)
})
afterAll(async () => {
  expect(world.server.faults).toEqual([])
  await world.server.close()
})

/** What the answer has to be: a code, or success. */
function expectedOf(position: Position, route: DocumentedRoute): string {
  const outside = OUTSIDE[position]
  if (outside !== undefined) return outside
  const role = position.split(' ')[0] as AnyRole
  const permission = EXPECTED[route.operation!].split(' ')[AnyRole.options.indexOf(role)] as Permission
  if (permission === 'no') return 'forbidden'
  const named = /\{(skill|run)\}/.test(route.path)
  if (permission === 'yes' || !named || position.endsWith('with a grant')) return 'success'
  // A skill as such, and the list of its stages, are seen by who may use one of them.
  const ofSkill = !/\{(stage|run)\}/.test(route.path) && route.operation === 'skills.read'
  return position.endsWith('another stage') && ofSkill ? 'success' : 'not_granted'
}

const OUTSIDE: Partial<Record<Position, string>> = {
  nobody: 'unauthenticated',
  'unknown key': 'unauthenticated',
  'revoked key': 'unauthenticated',
  'expired key': 'unauthenticated',
  'owner of a suspended tenant': 'tenant_suspended',
}

describe('who may call what', () => {
  test('the table of permissions is what it is meant to be', () => {
    const table = Object.entries(PERMISSIONS).map(([operation, roles]) => [
      operation,
      AnyRole.options.map((role) => roles[role]).join(' '),
    ])
    expect(Object.fromEntries(table)).toEqual(EXPECTED)
  })

  test('every permission guards a route, and every sample has its route', () => {
    const used = new Set(routes.map(({ operation }) => operation))
    expect(Object.keys(PERMISSIONS).filter((operation) => !used.has(operation as Operation))).toEqual([])
    const ids = new Set(routes.map(({ id }) => id))
    expect(Object.keys(SAMPLES).filter((id) => !ids.has(id))).toEqual([])
  })

  test.each(POSITIONS)('%s: every route', async (position) => {
    const { id, key } = cast[position]
    const [found, expected]: [string[], string[]] = [[], []]
    for (const route of routes.filter(({ operation }) => operation !== null)) {
      const answer = await callRoute(world, route, await sampleOf(world, route, id), key)
      const name = `${route.id}: `
      const wanted = expectedOf(position, route)
      expected.push(name + wanted)
      found.push(name + answer.outcome)
      // What is not covered is in no list, either.
      if (position.includes('another skill') || position.endsWith('without a grant')) {
        expect([route.id, answer.text.includes(world.skill.id)]).toEqual([route.id, false])
      }
    }
    expect(found).toEqual(expected)
  })

  test('what is public is so for everybody, and nothing else is', async () => {
    const open = routes.filter(({ operation }) => operation === null)
    expect(open.map(({ id }) => id).toSorted()).toEqual(['getHealth', 'getOpenapi', 'getReadiness', 'receiveUpload'])
    for (const route of open) {
      for (const key of [null, 'sk_wrong', cast['revoked key'].key]) {
        const answer = await callRoute(world, route, { params: { upload: world.upload } }, key)
        expect([route.id, answer.outcome]).not.toEqual([route.id, 'unauthenticated'])
      }
    }
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
})

describe('denials', () => {
  test('are in the audit log of the tenant, with what was asked for and without what was sent', async () => {
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
})
