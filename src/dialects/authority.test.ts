import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PERMISSIONS, type Operation, type Permission } from '../access/permissions.ts'
import { type Cast, POSITIONS, type Position, castOf, makeWorld, strangerOf } from '../http/fixtures/authority-world.ts'
import type { Route } from '../http/route.ts'
import type { AnyRole } from '../model/access.ts'
import { DIALECT_SAMPLES, type DialectWorld, type SampledRoute, withGuide } from './fixtures/authority-samples.ts'

let world: DialectWorld
let cast: Cast
let routes: readonly Route[]
beforeAll(async () => {
  world = await withGuide(await makeWorld())
  cast = await castOf(world)
  routes = world.server.dialects.filter(({ access, dialect }) => access !== 'public' && dialect !== undefined)
})
afterAll(async () => {
  expect(world.server.faults).toEqual([])
  await world.server.close()
})

const routeOf = ({ route }: SampledRoute): Route => routes.find(({ id }) => id === route)!

async function ask(sampled: SampledRoute, key: string | null): Promise<{ status: number; text: string }> {
  const { method, path } = routeOf(sampled)
  const { params = {}, body } = await sampled.sample(world)
  const at = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => params[name]!)
  const type = typeof body === 'string' ? { 'content-type': 'application/json' } : {}
  const headers = { ...type, ...sampled.headers(key) }
  const answer = await fetch(new URL(at, world.server.url), { method, headers, ...(body !== undefined && { body }) })
  return { status: answer.status, text: await answer.text() }
}

const REFUSED: Partial<Record<Position, number>> = {
  nobody: 401,
  'unknown key': 401,
  'revoked key': 401,
  'expired key': 401,
  'owner of a suspended tenant': 403,
}

/** What may not be seen is not there, and not in lists. */
function expectedOf(position: Position, { access, path }: Route): number {
  const refused = REFUSED[position]
  if (refused !== undefined) return refused
  const permission: Permission = PERMISSIONS[access as Operation][position.split(' ')[0] as AnyRole]
  if (permission === 'no') return 403
  const covered = permission === 'yes' || position.endsWith('with a grant')
  return covered || !path.includes('{') ? 200 : 404
}

describe('who may call what in other dialects', () => {
  test('every route has its sample', () => {
    const sampled = new Set(DIALECT_SAMPLES.map(({ route }) => route))
    const missing = routes.map(({ id }) => id).filter((id) => !sampled.has(id) && !TRIED_ELSEWHERE.test(id))
    expect(missing, 'add them to DIALECT_SAMPLES in src/dialects/fixtures/authority-samples.ts').toEqual([])
  })

  test.each(POSITIONS)('%s: every route', async (position) => {
    const { key } = cast[position]
    const [found, expected]: [string[], string[]] = [[], []]
    for (const sampled of DIALECT_SAMPLES) {
      const { status, text } = await ask(sampled, key)
      const wanted = expectedOf(position, routeOf(sampled))
      found.push(`${sampled.route}: ${status}`)
      expected.push(`${sampled.route}: ${wanted}`)
      if (status >= 400)
        expect([sampled.route, sampled.failure.safeParse(JSON.parse(text)).error]).toEqual([sampled.route, undefined])
      // What is not covered is in no list, either.
      const sees = status === 200 && !/another|without/.test(position)
      if (!sees) expect([sampled.route, text.includes('Guides.')]).toEqual([sampled.route, false])
    }
    expect(found).toEqual(expected)
  })

  test("another tenant's things are not there", async () => {
    const { key } = await strangerOf(world)
    for (const sampled of DIALECT_SAMPLES.filter((one) => routeOf(one).path.includes('{'))) {
      const { status, text } = await ask(sampled, key)
      expect([sampled.route, status]).toEqual([sampled.route, 404])
      expect(sampled.failure.safeParse(JSON.parse(text)).error).toBeUndefined()
    }
  })
})

/** Their paths name the tenant, or hold the key itself: src/dialects/mcp/ and src/dialects/discovery/ try them. */
const TRIED_ELSEWHERE = /^(?:tenantMcp$|link[A-Z])/
