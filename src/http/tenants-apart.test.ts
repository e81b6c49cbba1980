import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PERMISSIONS } from '../access/permissions.ts'
import { DATABASE_FILE } from '../backends/sql/sql-engine.ts'
import { type DocumentedRoute, callRoute, pathOf, routesOf, sampleOf } from './fixtures/authority-routes.ts'
import type { Sample } from './fixtures/authority-samples.ts'
import {
  type Cast,
  SKILL,
  STAGE,
  type Somebody,
  type World,
  castOf,
  makeWorld,
  strangerOf,
} from './fixtures/authority-world.ts'

let world: World
let cast: Cast
let routes: DocumentedRoute[]
let stranger: Somebody
beforeAll(async () => {
  world = await makeWorld()
  cast = await castOf(world)
  routes = await routesOf(world)
  stranger = await strangerOf(world)
})
afterAll(async () => {
  expect(world.server.faults).toEqual([])
  await world.server.close()
})

test("another tenant's things are as absent as those that never were, on every route that can name one, and nothing of them changes", async () => {
  const named = routes.filter(({ operation, path }) => operation !== null && path.includes('{'))
  const calls: { route: DocumentedRoute; sample: Sample }[] = []
  for (const route of named) {
    const sample = await sampleOf(world, route, cast.owner.id)
    calls.push({ route, sample })
    const { skill, stage } = sample.params ?? {}
    // By their ids, too.
    const ids = {
      ...(skill === SKILL && { skill: world.skill.id }),
      ...(stage === STAGE && { stage: world.stage.id }),
    }
    if (Object.keys(ids).length > 0) calls.push({ route, sample: { ...sample, params: { ...sample.params, ...ids } } })
  }
  expect(calls.length).toBeGreaterThan(routes.length / 2)
  const before = everything()
  const [found, expected]: [string[], string[]] = [[], []]
  for (const { route, sample } of calls) {
    const { outcome } = await callRoute(world, route, sample, stranger.key)
    found.push(`${route.method} ${pathOf(route, sample)}: ${outcome}`)
    const own = PERMISSIONS[route.operation!].owner === 'yes'
    expected.push(`${route.method} ${pathOf(route, sample)}: ${own ? 'not_found' : 'forbidden'}`)
  }
  expect(found).toEqual(expected)
  expect(everything()).toEqual(before)
})

test("another tenant's things are in no list", async () => {
  const ids = [world.skill.id, world.stage.id, world.deployment.id, world.upload, world.tenant, cast.viewer.id]
  // One who has named nothing of theirs: what a caller named stands in the caller's own audit log.
  const newcomer = await strangerOf(world)
  for (const route of routes.filter(({ method, path }) => method === 'GET' && !path.includes('{'))) {
    const { text } = await callRoute(world, route, {}, newcomer.key)
    expect([route.id, ids.filter((id) => text.includes(id))]).toEqual([route.id, []])
  }
  for (const query of [`?skill=${world.skill.id}`, `?stage=${world.stage.id}`]) {
    const { body } = await world.server.call<{ items: unknown[] }>('GET', `/api/runs${query}`, undefined, stranger)
    expect(body.items).toEqual([])
  }
})

test("another tenant's things cannot be named in a body, either", async () => {
  const secret = await world.make<{ id: string }>('POST', '/api/secrets', {
    name: world.newName(),
    value: 'of a test',
  })
  const as = { key: stranger.key }
  const mine = await world.server.call<{ id: string }>('POST', '/api/skills', { name: 'mine' }, as)
  const agent = await world.server.call<{ id: string }>('POST', '/api/keys', { role: 'agent', name: 'a' }, as)
  const refusals: [string, string, unknown][] = [
    ['POST', '/api/grants', { principal: agent.body.id, allowed_skills: [world.skill.id] }],
    ['POST', '/api/grants', { principal: cast['agent with a grant'].id, allowed_skills: [mine.body.id] }],
    ['PUT', '/api/skills/mine/stages/prod', { config: { secret_refs: { TOKEN: secret.id } } }],
  ]
  const before = everything()
  for (const [method, path, body] of refusals) {
    const answer = await world.server.call<{ code: string }>(method, path, body, as)
    expect([path, answer.status, answer.body.code]).toEqual([path, 400, expect.stringMatching(/_unknown$/)])
  }
  expect(everything()).toEqual(before)
})

/** Every row of the tenant, and of the tables that know no tenants. When keys were last used is written whenever. */
function everything(): Record<string, unknown[]> {
  using db = new DatabaseSync(join(world.server.dataDir, DATABASE_FILE), { readOnly: true })
  const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all()
  return Object.fromEntries(
    tables.map(({ name }) => {
      const rows = db.prepare(`SELECT * FROM "${String(name)}"`).all() as Record<string, unknown>[]
      const own = rows.filter((row) => !('tenant' in row) || row['tenant'] === world.tenant)
      return [name, own.map(({ last_used_at: _when, ...row }) => row)]
    }),
  )
}
