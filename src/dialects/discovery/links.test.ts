import { afterAll, beforeAll, expect, test } from 'vitest'
import { newLinkToken } from '../../access/keys.ts'
import { newLink } from '../../backends/contract/links-contract.ts'
import { newNote } from '../../backends/contract/engine-fixtures.ts'
import { type World, makeWorld } from '../../http/fixtures/authority-world.ts'
import { Problem } from '../../http/problem.ts'
import type { Route } from '../../http/route.ts'
import type { Link } from '../../model/links.ts'
import { now } from '../../model/json.ts'
import { guideOf } from '../fixtures/guides.ts'

const GUIDE = 'letters'
/** Empty, as the files of played packages are. */
const FILE = { path: 'SKILL.md', size: 0, sha256: 'b'.repeat(64), executable: false }

let world: World
let guide: string
let routes: readonly Route[]
beforeAll(async () => {
  world = await makeWorld()
  guide = (await world.server.deploy(GUIDE, 'prod', { ...guideOf('first', GUIDE), files: [FILE] })).skill
  routes = world.server.dialects.filter(({ dialect }) => dialect?.credential === 'token')
})
afterAll(async () => {
  expect(world.server.faults).toEqual([])
  await world.server.close()
})

/** Straight into the state: the API makes none that are over. */
async function link(tenant: string, change: Partial<Link> = {}): Promise<string> {
  const { key: token, hash, prefix } = newLinkToken()
  const made = newLink(tenant, { prefix, ...change })
  await world.server.engine.links.createLink(made.link, hash, newNote(tenant, 'link.create', made.link.id))
  return token
}

const PARAMS: Readonly<Record<string, () => Record<string, string>>> = {
  linkDiscoverySkillMd: () => ({ skill: GUIDE, digest: FILE.sha256 }),
  linkDiscoveryArtifact: () => ({ skill: GUIDE, file: 'SKILL.md' }),
  linkDiscoveryIndex: () => ({ index: 'index.json' }),
  linkOlderDiscoveryIndex: () => ({ index: 'index.json' }),
  linkOlderDiscoveryFile: () => ({ skill: GUIDE, 'path+': 'SKILL.md' }),
  linkPlugin: () => ({ skill: GUIDE, archive: `${'0'.repeat(64)}.zip` }),
}

/** Each route, by its id: the status, and whether the answer tells of the skill. */
async function asked(token: string, headers: Record<string, string> = {}): Promise<Record<string, number>> {
  const found: Record<string, number> = {}
  for (const { id, path } of routes) {
    const params: Record<string, string> = { ...PARAMS[id]?.(), token }
    const at = path.replaceAll(/\{([\w+]+)\}/g, (_, name: string) => params[name]!)
    const answer = await fetch(new URL(at, world.server.url), { headers })
    const text = await answer.text()
    found[id] = answer.status
    if (answer.status >= 400) expect(Problem.safeParse(JSON.parse(text)).error).toBeUndefined()
    expect([id, text.includes(token) && answer.status >= 400]).toEqual([id, false])
  }
  return found
}
/** @param named Of what is named by the path. */
const all = (status: number, named: number = status): Record<string, number> =>
  Object.fromEntries(routes.map(({ id, path }) => [id, path.includes('{skill}') ? named : status]))

test('a link opens all of its routes, and what it does not cover is not there', async () => {
  const { tenant, skill } = world
  expect(routes.length).toBeGreaterThan(7)
  expect(await asked(await link(tenant))).toEqual(all(200))
  expect(await asked(await link(tenant, { skills: [guide], expires_at: now(Date.now() + 60_000) }))).toEqual(all(200))
  expect(await asked(await link(tenant, { skills: [skill.id] }))).toEqual(all(200, 404))
  expect(await asked(await link(tenant, { stage: 'dev' }))).toEqual(all(200, 404))
  const other = await world.server.strangerKey()
  const { body } = await world.server.call<{ tenant: string }>('GET', '/api/whoami', undefined, { key: other })
  expect(await asked(await link(body.tenant))).toEqual(all(200, 404))
})

test('what is over, what was never made, and keys open none of them, whatever the headers say', async () => {
  const { tenant, server } = world
  const owner = { authorization: `Bearer ${server.key}` }
  const refused = [
    await link(tenant, { revoked_at: now() }),
    await link(tenant, { expires_at: now(Date.now() - 1) }),
    newLinkToken().key,
    server.key,
    'not-a-token-at-all',
  ]
  for (const token of refused) {
    expect(await asked(token)).toEqual(all(404))
    expect(await asked(token, owner)).toEqual(all(404))
  }
})

test('a link of a suspended tenant is refused', async () => {
  const { body } = await world.server.call<{ tenant: { id: string } }>(
    'POST',
    '/api/tenants',
    { name: 'sleeps' },
    { key: world.server.operatorKey },
  )
  const token = await link(body.tenant.id)
  expect(await asked(token)).toEqual(all(200, 404))
  const path = `/api/tenants/${body.tenant.id}`
  await world.server.call('PATCH', path, { suspended: true }, { key: world.server.operatorKey })
  expect(await asked(token)).toEqual(all(403))
})

test('in a header a link opens nothing: not even what it opens by its path', async () => {
  const headers = { authorization: `Bearer ${await link(world.tenant)}` }
  const get = async (path: string) => (await fetch(new URL(path, world.server.url), { headers })).status
  const plugin = `/plugins/${GUIDE}/${'0'.repeat(64)}.zip`
  const others = ['/api/whoami', '/api/catalogue', `/api/skills/${GUIDE}`, '/api/links', '/v1/skills']
  for (const path of [...others, '/marketplace.json', plugin]) expect([path, await get(path)]).toEqual([path, 403])
})
