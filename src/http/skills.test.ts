import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Deployment, Skill, Stage } from '../model/skills.ts'
import type { DeployProposal, VersionDetail, VersionDiff } from '../skills/shapes.ts'
import { packageOf } from './fixtures/packages.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'

interface Refusal {
  code: string
  change_level?: string
  changes?: unknown[]
  highest?: string
  errors?: { pointer: string }[]
}

const NUMBER = { type: 'integer' }
const inputs = (properties: object, required: string[]) => ({ type: 'object', properties, required })

let server: TestServer
beforeAll(async () => void (server = await startTestServer()))
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})

const stage = (skill: string, name = 'dev'): string => `/api/skills/${skill}/stages/${name}`
const deploy = (skill: string, body: object, name = 'dev') =>
  server.call<Deployment & Refusal>('POST', `${stage(skill, name)}/deploy`, { change_level: 'major', ...body })

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

describe('deploying', () => {
  test('freezes package and configuration; later edits reach only later deployments', async () => {
    await server.call('POST', '/api/skills', { name: 'frozen' })
    await server.call('PUT', stage('frozen'), { config: { env: { A: '1' } } })
    const source = packageOf('frozen 1', { defaults: { size: 'L', timeout_s: 90 }, declared_version: '0.4.0' })
    const id = await server.upload('frozen', 'dev', source)
    const proposal = await server.call<DeployProposal>('GET', `${stage('frozen')}/deploy`)
    expect(proposal.body).toMatchObject({
      upload: id,
      version: '0.4.0',
      change_level: 'patch',
      replaces: null,
      named: false,
    })
    const made = await deploy('frozen', { change_level: 'patch' })
    expect(made.status).toBe(201)
    expect(made.body).toMatchObject({
      version: '0.4.0',
      digest: source.digest,
      input_schema: source.input_schema,
      config: { size: 'L', timeout_s: 90, isolation: 'session', env: { A: '1' }, network: [] },
      origin: 'deploy',
    })
    expect(server.activations.at(-1)).toMatchObject({ deployment: { id: made.body.id }, previous: null })

    await server.call('PUT', stage('frozen'), { config: { size: 'S', env: { A: '2' } } })
    expect((await server.call('GET', `${stage('frozen')}/deployment`)).body).toEqual(made.body)
    const again = await deploy('frozen', { change_level: 'patch' })
    expect(again.body).toMatchObject({ version: '0.4.0', config: { size: 'S', timeout_s: 90, env: { A: '2' } } })
    expect(again.body.id).not.toBe(made.body.id)
    expect(server.activations.at(-1)).toMatchObject({ deployment: { id: again.body.id }, previous: made.body.id })
    expect((await server.call<Stage>('GET', stage('frozen'))).body).toMatchObject({
      state: 'active',
      upload: null,
      deployment: again.body.id,
    })
    const old = await server.call('GET', `${stage('frozen')}/deployments/${made.body.id}`)
    expect(old.body).toEqual(made.body)
  })

  test('a change level below what the schemas demand is refused with the changes', async () => {
    await server.deploy('levels', 'dev', packageOf('levels 1', { input_schema: inputs({ a: NUMBER }, []) }))
    await server.upload(
      'levels',
      'dev',
      packageOf('levels 2', { input_schema: inputs({ a: NUMBER, b: NUMBER }, ['b']) }),
    )
    const proposal = await server.call<DeployProposal>('GET', `${stage('levels')}/deploy`)
    expect(proposal.body).toMatchObject({ change_level: 'major', version: '2.0.0', replaces: { version: '1.0.0' } })
    for (const change_level of ['patch', 'minor']) {
      const refused = await deploy('levels', { change_level })
      expect([refused.status, refused.body.code]).toEqual([409, 'change_level_too_low'])
      expect(refused.body.change_level).toBe('major')
      expect(refused.body.changes).toEqual(proposal.body.changes)
    }
    expect((await server.call<Stage>('GET', stage('levels'))).body.state).toBe('ready_to_deploy')
    expect((await deploy('levels', { change_level: 'major' })).body).toMatchObject({
      version: '2.0.0',
      change_level: 'major',
    })
  })

  test('versions are as asked, go up, and keep their meaning', async () => {
    await server.deploy('versions', 'dev', packageOf('versions 1'))
    await server.upload('versions', 'dev', packageOf('versions 2'))
    expect((await deploy('versions', { version: '1.0.0' })).body.code).toBe('version_taken')
    const low = await deploy('versions', { version: '0.9.0' })
    expect([low.status, low.body.code, low.body.highest]).toEqual([400, 'version_invalid', '1.0.0'])
    expect((await deploy('versions', { version: '3.0.0', bump: 'major' })).body.code).toBe('bad_request')
    expect((await deploy('versions', { version: '1.10.0' })).body.version).toBe('1.10.0')
    await server.upload('versions', 'dev', packageOf('versions 3'))
    expect((await deploy('versions', { bump: 'minor' })).body.version).toBe('1.11.0')
    // The first package again: it is 1.0.0 and stays that.
    await server.upload('versions', 'dev', packageOf('versions 1'))
    const proposal = await server.call<DeployProposal>('GET', `${stage('versions')}/deploy`)
    expect(proposal.body).toMatchObject({ version: '1.0.0', named: true })
    expect((await deploy('versions', { version: '5.0.0' })).body.code).toBe('version_invalid')
    expect((await deploy('versions', { bump: 'major' })).body.version).toBe('1.0.0')
    const list = await server.call<{ items: { version: string }[] }>('GET', '/api/skills/versions/versions')
    expect(list.body.items.map(({ version }) => version)).toEqual(['1.11.0', '1.10.0', '1.0.0'])
  })

  test('without an accepted package there is nothing to deploy', async () => {
    await server.call('POST', '/api/skills', { name: 'unready' })
    await server.call('PUT', stage('unready'), {})
    const empty = await deploy('unready', {})
    expect([empty.status, empty.body.code]).toEqual([409, 'stage_not_ready'])
    const finding = {
      rule: 'zip.traversal',
      severity: 'deny',
      message: 'x',
      file: '../a',
      line: null,
      fix: 'y',
    } as const
    await server.upload('unready', 'dev', [finding])
    expect((await deploy('unready', {})).body).toMatchObject({
      code: 'stage_not_ready',
      upload_state: 'rejected',
      findings: [finding],
    })
    expect((await server.call<Stage>('GET', stage('unready'))).body.state).toBe('validation_failed')
  })

  test('of those who deploy at once to the stage that they saw, one wins', async () => {
    await server.upload('racing', 'dev', packageOf('racing 1'))
    const { revision } = (await server.call<DeployProposal>('GET', `${stage('racing')}/deploy`)).body
    const answers = await Promise.all(Array.from({ length: 10 }, () => deploy('racing', { revision })))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    for (const { status, body } of answers)
      if (status !== 201) expect([status, body.code]).toEqual([409, 'stage_changed'])
    const history = await server.call<{ items: unknown[] }>('GET', `${stage('racing')}/history`)
    expect(history.body.items).toHaveLength(1)
  })

  test('deploys at once without a revision come one after the other or not at all', async () => {
    await server.upload('crowded', 'dev', packageOf('crowded 1'))
    const answers = await Promise.all(Array.from({ length: 10 }, () => deploy('crowded', {})))
    const made = answers.filter(({ status }) => status === 201).map(({ body }) => body.id)
    for (const { status, body } of answers) if (status !== 201) expect(body.code).toBe('stage_changed')
    const history = await server.call<{ items: { deployment: string }[] }>('GET', `${stage('crowded')}/history`)
    const moves = history.body.items.map(({ deployment }) => deployment)
    expect(moves.toSorted()).toEqual(made.sort())
    expect((await server.call<Stage>('GET', stage('crowded'))).body.deployment).toBe(moves[0])
  })

  test('concurrent deploys of different packages to different stages get different versions', async () => {
    const stages = ['a', 'b', 'c', 'd']
    for (const name of stages) await server.upload('spread', name, packageOf(`spread ${name}`))
    const answers = await Promise.all(stages.map((name) => deploy('spread', { bump: 'patch' }, name)))
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201])
    expect(new Set(answers.map(({ body }) => body.version))).toEqual(new Set(['1.0.0', '1.0.1', '1.0.2', '1.0.3']))
  })

  test('a revision from before somebody else deployed is refused', async () => {
    const first = await server.deploy('revised', 'dev', packageOf('revised 1'))
    const { revision } = (await server.call<Stage>('GET', stage('revised'))).body
    await server.upload('revised', 'dev', packageOf('revised 2'))
    for (const path of ['deploy', 'rollback']) {
      const body = path === 'deploy' ? { change_level: 'major', revision } : { revision }
      const { status, body: answer } = await server.call<Refusal>('POST', `${stage('revised')}/${path}`, body)
      expect([path, status, answer.code]).toEqual([path, 409, 'stage_changed'])
    }
    expect((await server.call<Stage>('GET', stage('revised'))).body.deployment).toBe(first.id)
  })
})

describe('rolling back', () => {
  const back = (skill: string, body?: object) =>
    server.call<Deployment & Refusal>('POST', `${stage(skill)}/rollback`, body)

  test('goes back step by step, and to what is named', async () => {
    const ids: string[] = []
    for (const n of [1, 2, 3]) ids.push((await server.deploy('steps', 'dev', packageOf(`steps ${n}`))).id)
    const [one, two, three] = ids as [string, string, string]
    expect((await back('steps')).body.id).toBe(two)
    expect(server.activations.at(-1)).toMatchObject({ deployment: { id: two }, previous: three })
    expect((await back('steps', {})).body.id).toBe(one)
    const over = await back('steps')
    expect([over.status, over.body.code]).toEqual([409, 'nothing_to_roll_back'])
    expect((await back('steps', { version: '3.0.0' })).body.id).toBe(three)
    expect((await back('steps')).body.id).toBe(two)
    expect((await back('steps', { deployment: one })).body.id).toBe(one)
    expect((await back('steps', { deployment: one })).body.code).toBe('nothing_to_roll_back')
    expect((await back('steps', { version: '9.9.9' })).body.code).toBe('not_found')
    const { id: elsewhere } = await server.deploy('steps', 'other', packageOf('steps elsewhere'))
    expect((await back('steps', { deployment: elsewhere })).body.code).toBe('not_found')
    const history = await server.call<{ items: { kind: string; deployment: string }[] }>(
      'GET',
      `${stage('steps')}/history`,
    )
    expect(history.body.items.map(({ kind, deployment }) => [kind, deployment])).toEqual([
      ['rollback', one],
      ['rollback', two],
      ['rollback', three],
      ['rollback', one],
      ['rollback', two],
      ['deploy', three],
      ['deploy', two],
      ['deploy', one],
    ])
  })
})

describe('promoting', () => {
  const promote = (skill: string, body: object, from = 'dev') =>
    server.call<Deployment & Refusal>('POST', `${stage(skill, from)}/promote`, body)

  test("takes the same version and build with the other stage's configuration", async () => {
    const source = await server.deploy('promoted', 'dev', packageOf('promoted 1'))
    await server.call('PUT', stage('promoted', 'prod'), { config: { size: 'XL', env: { MODE: 'prod' } } })
    const { status, body } = await promote('promoted', { to: 'prod' })
    expect(status).toBe(201)
    expect(body).toMatchObject({
      version: source.version,
      digest: source.digest,
      bundle_blob: source.bundle_blob,
      config: { size: 'XL', timeout_s: 28_800, env: { MODE: 'prod' } },
      origin: 'promote',
      promoted_from: source.id,
    })
    expect((await server.call('GET', `${stage('promoted', 'prod')}/deployment`)).body).toEqual(body)
    expect((await promote('promoted', { to: 'fresh' })).body.version).toBe('1.0.0')
    expect((await server.call<Stage>('GET', stage('promoted', 'fresh'))).body.state).toBe('active')
  })

  test('leaves an upload that waits on the other stage, and refuses what cannot be', async () => {
    await server.deploy('waiting', 'dev', packageOf('waiting 1'))
    const id = await server.upload('waiting', 'prod', packageOf('waiting 2'))
    expect((await promote('waiting', { to: 'prod' })).status).toBe(201)
    expect((await server.call<Stage>('GET', stage('waiting', 'prod'))).body).toMatchObject({
      upload: id,
      state: 'ready_to_deploy',
    })
    expect((await promote('waiting', { to: 'dev' })).body.code).toBe('bad_request')
    await server.call('PUT', stage('waiting', 'bare'), {})
    expect((await promote('waiting', { to: 'prod' }, 'bare')).body.code).toBe('stage_not_active')
    expect((await promote('waiting', { to: 'bare', revision: 999 })).body.code).toBe('stage_changed')
    expect((await promote('waiting', { to: 'Bad Name' })).body.code).toBe('bad_request')
  })
})

describe('versions', () => {
  test('show their package and files, and what changed between two', async () => {
    const file = (path: string, content: string) => packageOf(content).files.map((one) => ({ ...one, path }))
    const before = packageOf('diff 1', {
      files: [...file('main.py', 'a'), ...file('old.py', 'b'), ...file('same.py', 'c')],
    })
    const after = packageOf('diff 2', {
      files: [...file('main.py', 'A'), ...file('new.py', 'b'), ...file('same.py', 'c')],
      input_schema: inputs({ a: NUMBER, c: NUMBER }, ['a']),
    })
    await server.deploy('diffs', 'dev', before)
    await server.deploy('diffs', 'dev', after)
    const shown = await server.call<VersionDetail>('GET', '/api/skills/diffs/versions/1.0.0')
    expect(shown.body).toMatchObject({ version: '1.0.0', digest: before.digest, package: { format: 'python' } })
    expect((await server.call('GET', `/api/skills/diffs/versions/${shown.body.id}`)).body).toEqual(shown.body)
    const files = await server.call('GET', '/api/skills/diffs/versions/1.0.0/files')
    expect(files.body).toEqual({ items: before.files })
    const { body } = await server.call<VersionDiff>('GET', '/api/skills/diffs/diff?from=1.0.0&to=2.0.0')
    expect(body.files.added.map(({ path }) => path)).toEqual(['new.py'])
    expect(body.files.removed.map(({ path }) => path)).toEqual(['old.py'])
    expect(body.files.changed.map(({ path }) => path)).toEqual(['main.py'])
    expect(body.change_level).toBe('minor')
    expect(body.changes).toHaveLength(1)
    expect((await server.call('GET', '/api/skills/diffs/versions/7.0.0')).status).toBe(404)
    expect((await server.call('GET', '/api/skills/diffs/diff?from=1.0.0')).status).toBe(400)
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
