import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Operation, PERMISSIONS, type Permission } from '../access/permissions.ts'
import { AnyRole } from '../model/access.ts'
import { type DocumentedRoute, callRoute, routesOf, sampleOf } from './fixtures/authority-routes.ts'
import { SAMPLES, type Sample } from './fixtures/authority-samples.ts'
import { type Cast, POSITIONS, type Position, type World, castOf, makeWorld } from './fixtures/authority-world.ts'

/**
 * Who may do what, written down a second time by hand: owner, developer, viewer, agent, operator. Whoever changes the table of
 * permissions has to mean it.
 */
const EXPECTED: Readonly<Record<Operation, string>> = {
  'self.read': 'yes yes yes yes yes',
  'skills.read': 'yes grant yes no no',
  'versions.read': 'yes grant yes grant no',
  'versions.withdraw': 'yes no no no no',
  'signing.rotate': 'yes no no no no',
  'catalogue.read': 'yes grant yes grant no',
  'discovery.read': 'yes grant yes grant no',
  'skills.write': 'yes no no no no',
  'stages.write': 'yes no no no no',
  'packages.upload': 'yes no no no no',
  'stages.deploy': 'yes no no no no',
  'runs.invoke': 'yes grant no grant no',
  'runs.read': 'yes grant yes own no',
  'runs.control': 'yes grant no own no',
  'events.read': 'yes grant yes no no',
  'queues.read': 'yes no yes no no',
  'queues.control': 'yes no no no no',
  'sessions.read': 'yes grant yes no no',
  'sessions.flush': 'yes grant no no no',
  'sessions.flush_all': 'no no no no yes',
  'schedules.read': 'yes grant yes no no',
  'webhooks.read': 'yes grant yes no no',
  'webhooks.write': 'yes no no no no',
  'keys.manage': 'yes no no no yes',
  'grants.manage': 'yes no no no no',
  'links.manage': 'yes no no no no',
  'secrets.manage': 'yes no no no no',
  'quota.read': 'yes no yes no no',
  'quota.write': 'yes no no no no',
  'audit.read': 'yes no no no yes',
  'tenants.manage': 'no no no no yes',
  'vault.rotate': 'no no no no yes',
  'metrics.read': 'no no no no yes',
  'state.backup': 'no no no no yes',
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
  // The samples are keys of the tenant: an operator has others, and makes no such ones.
  if (role === 'operator' && route.operation === 'keys.manage' && route.id !== 'listKeys') {
    return route.id === 'createKey' ? 'bad_request' : 'not_found'
  }
  // What an agent may not see is not there.
  if (
    /^(?:catalogue|discovery)\.read$/.test(route.operation!) &&
    permission === 'grant' &&
    !position.endsWith('with a grant')
  ) {
    return route.path.includes('{') ? 'not_found' : 'success'
  }
  const named = /\{(skill|run|delivery)\}/.test(route.path)
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

const unused = new Map<string, Sample>()

/** Who is turned away whatever they ask for uses nothing up: one sample is enough for all of them. */
async function sampleFor(position: Position, route: DocumentedRoute, by: string): Promise<Sample> {
  if (OUTSIDE[position] === undefined) return sampleOf(world, route, by)
  const sample = unused.get(route.id) ?? (await sampleOf(world, route, by))
  unused.set(route.id, sample)
  return sample
}

describe('who may call what', () => {
  test('the table of permissions is what it is meant to be', () => {
    const table = Object.entries(PERMISSIONS).map(([operation, roles]) => [
      operation,
      AnyRole.options.map((role) => roles[role]).join(' '),
    ])
    expect(Object.fromEntries(table)).toEqual(EXPECTED)
  })

  test('docs/api.md says the same', async () => {
    const page = await readFile(new URL('../../docs/api.md', import.meta.url), 'utf8')
    const rows = [...page.matchAll(/^\| (\w+\.\w+) \| (.*) \|$/gm)].map(([, name, cells]) => [
      name,
      cells!.replaceAll(' | ', ' '),
    ])
    expect(Object.fromEntries(rows)).toEqual(EXPECTED)
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
      const answer = await callRoute(world, route, await sampleFor(position, route, id), key)
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
})
