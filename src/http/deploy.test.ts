import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Deployment, Stage } from '../model/skills.ts'
import type { DeployProposal } from '../skills/shapes.ts'
import { packageOf } from './fixtures/packages.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'

interface Refusal {
  code: string
  change_level?: string
  changes?: unknown[]
  highest?: string
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
  await server.upload('levels', 'dev', packageOf('levels 2', { input_schema: inputs({ a: NUMBER, b: NUMBER }, ['b']) }))
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
    column: null,
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
