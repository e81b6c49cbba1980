import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Skill, Stage } from '../model/skills.ts'
import { packageOf } from './fixtures/packages.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'

interface Refusal {
  code: string
  errors?: { pointer: string }[]
}

let server: TestServer
beforeAll(async () => void (server = await startTestServer()))
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})

const stage = (skill: string, name = 'dev'): string => `/api/skills/${skill}/stages/${name}`

describe('skills', () => {
  test('are made, found by id and name, described and deleted', async () => {
    const made = await server.call<Skill>('POST', '/api/skills', { name: 'letters', description: 'Writes letters.' })
    expect([made.status, made.headers.get('location')]).toEqual([201, `/api/skills/${made.body.id}`])
    for (const name of ['letters', made.body.id]) {
      expect((await server.call('GET', `/api/skills/${name}`)).body).toEqual(made.body)
    }
    const changed = await server.call<Skill>('PATCH', '/api/skills/letters', { description: 'Writes better letters.' })
    expect(changed.body).toMatchObject({ id: made.body.id, description: 'Writes better letters.' })
    expect((await server.call('DELETE', '/api/skills/letters')).status).toBe(204)
    expect((await server.call('GET', '/api/skills/letters')).status).toBe(404)
    expect((await server.call('DELETE', '/api/skills/letters')).status).toBe(404)
  })

  test('a name is good once, and only if it is one', async () => {
    expect((await server.call('POST', '/api/skills', { name: 'unique' })).status).toBe(201)
    const again = await server.call<Refusal>('POST', '/api/skills', { name: 'unique' })
    expect([again.status, again.body.code]).toEqual([409, 'name_taken'])
    for (const name of ['', 'Upper', 'a_b', '-a', 'a--b', 'x'.repeat(65)]) {
      const { body } = await server.call<Refusal>('POST', '/api/skills', { name })
      expect(body.code).toBe('bad_request')
      expect(new Set(body.errors?.map(({ pointer }) => pointer))).toEqual(new Set(['/name']))
    }
  })

  test('lists come in pages', async () => {
    const key = await server.strangerKey()
    const names = ['one', 'two', 'three', 'four', 'five']
    for (const name of names) await server.call('POST', '/api/skills', { name }, { key })
    const seen: string[] = []
    let cursor: string | null = ''
    let pages = 0
    do {
      const path: string = `/api/skills?limit=2${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`
      const { body } = await server.call<{ items: Skill[]; next: string | null }>('GET', path, undefined, { key })
      seen.push(...body.items.map(({ name }) => name))
      cursor = body.next
      pages++
    } while (cursor !== null)
    expect(seen).toEqual(names.toReversed())
    expect(pages).toBe(3)
    for (const query of ['limit=0', 'limit=201', 'limit=x', 'cursor=nonsense', 'unknown=1']) {
      const { status, body } = await server.call<Refusal>('GET', `/api/skills?${query}`, undefined, { key })
      expect([query, status, body.code]).toEqual([query, 400, 'bad_request'])
    }
  })
})

describe('stages', () => {
  test('are made and configured by PUT, conditionally where a revision is given', async () => {
    await server.call('POST', '/api/skills', { name: 'staged' })
    const made = await server.call<Stage>('PUT', stage('staged'), { config: { size: 'S', env: { LANG: 'de' } } })
    expect(made.body).toMatchObject({ name: 'dev', state: 'empty', config: { size: 'S', env: { LANG: 'de' } } })
    const { revision } = made.body
    const changed = await server.call<Stage>('PUT', stage('staged'), { config: { timeout_s: 5 }, revision })
    expect(changed.body).toMatchObject({ id: made.body.id, config: { timeout_s: 5 } })
    expect(changed.body.revision).toBeGreaterThan(revision)
    const late = await server.call<Refusal>('PUT', stage('staged'), { config: {}, revision })
    expect([late.status, late.body.code]).toEqual([409, 'stage_changed'])
    expect((await server.call<Stage>('GET', stage('staged'))).body).toEqual(changed.body)
    await server.call('PUT', stage('staged', 'prod'), {})
    const list = await server.call<{ items: Stage[] }>('GET', '/api/skills/staged/stages')
    expect(list.body.items.map(({ name }) => name).sort()).toEqual(['dev', 'prod'])
    expect((await server.call('DELETE', stage('staged', 'prod'))).status).toBe(204)
    expect((await server.call('GET', stage('staged', 'prod'))).status).toBe(404)
  })

  test('what is no configuration is refused with all its places', async () => {
    const config = { size: 'XXL', timeout_s: 0, isolation: 'none', env: { '1A': 'x' }, memory: 5 }
    const { status, body } = await server.call<{ errors: { pointer: string }[] }>('PUT', stage('staged'), { config })
    expect(status).toBe(400)
    const pointers = body.errors.map(({ pointer }) => pointer)
    expect(pointers.sort()).toEqual([
      '/config',
      '/config/env/1A',
      '/config/isolation',
      '/config/size',
      '/config/timeout_s',
    ])
    expect((await server.call<Refusal>('PUT', stage('staged', 'Not_A_Name'), {})).body.code).toBe('bad_request')
  })
})

test('deleting a stage or a skill tells which deployments are served no more', async () => {
  const a = await server.deploy('gone', 'a', packageOf('gone a'))
  const b = await server.deploy('gone', 'b', packageOf('gone b'))
  await server.call('DELETE', stage('gone', 'a'))
  expect(server.retired).toContain(a.id)
  await server.call('DELETE', '/api/skills/gone')
  expect(server.retired).toContain(b.id)
})
