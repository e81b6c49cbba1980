import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PackageFile } from '../../src/model/packages.ts'
import { hasProgram } from '../support/has-program.ts'
import { TestServer, zipOf } from './harness.ts'
import { GENERATIONS, type Sdk, type SkillFiles, type SkillsNamespace, skillFiles, unzip } from './skill-clients.ts'

let server: TestServer
/** Skills of the tenant that no story touches, newest first, and one that comes with the server. */
const STANDING = ['third', 'second', 'first']
let provider: string

beforeAll(async () => {
  server = await TestServer.start()
  provider = await makeProvider()
  for (const name of STANDING.toReversed()) await upload(server.key, name)
  await upload(provider, 'pre-built')
})
afterAll(() => server.stop())

/** Another tenant, whose skills the operators provide to all. */
async function makeProvider(): Promise<string> {
  const asOperator = { authorization: `Bearer ${server.operatorKey}` }
  type Made = { tenant: { id: string }; owner_key: { key: string } }
  const made = await server.ok<Made>('POST', '/api/tenants', { name: 'provider' }, asOperator)
  await server.ok('PATCH', `/api/tenants/${made.tenant.id}`, { audience: 'server' }, asOperator)
  return made.owner_key.key
}

/** As any client of HTTP could do it: one part that is a zip. */
async function upload(key: string, name: string): Promise<void> {
  const form = new FormData()
  const zip = await zipOf(
    Object.fromEntries(Object.entries(skillFiles(name)).map(([path, bytes]) => [`${name}/${path}`, bytes])),
  )
  form.append('files[]', new Blob([new Uint8Array(zip)]), `${name}.zip`)
  const headers = { 'x-api-key': key, 'anthropic-version': '2023-06-01' }
  const answer = await fetch(new URL('/v1/skills', server.url), { method: 'POST', headers, body: form })
  expect([answer.status, await answer.text()]).toEqual([200, expect.any(String)])
}

/** A client, and what it asked for. */
interface Visit {
  readonly sdk: Sdk
  readonly skills: SkillsNamespace
  /** Downloads are in the namespace of the beta only. */
  readonly downloads: SkillsNamespace
  readonly asked: string[]
  files(folder: string, files: SkillFiles): Promise<unknown[]>
}

async function visit(generation: (typeof GENERATIONS)[number], apiKey = server.key): Promise<Visit> {
  const sdk = (await generation.load()) as Sdk
  const asked: string[] = []
  const spied = (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    // Clients try what `fetch` can do with a URL of their own.
    if (init?.method !== undefined)
      asked.push(`${init.method} ${new URL(input instanceof Request ? input.url : input).pathname}`)
    return fetch(input, init)
  }
  const client = new sdk.default({ apiKey, baseURL: server.url, fetch: spied, authToken: null })
  const files = (folder: string, content: SkillFiles): Promise<unknown[]> =>
    Promise.all(Object.entries(content).map(([path, bytes]) => sdk.toFile(bytes, folder + path)))
  return { sdk, skills: generation.of(client), downloads: client.beta.skills, asked, files }
}

const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
const failure = (
  work: Promise<unknown>,
): Promise<Error & { status?: number; error?: { error: Record<string, unknown> } }> =>
  work.then(
    () => Promise.reject(new Error('It succeeded.')),
    (error: Error) => error,
  )
const INSTANT = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string

describe.each(GENERATIONS.map((one) => [one.name, one] as const))('@anthropic-ai/sdk %s', (title, generation) => {
  const { beta } = generation
  const name = `tale-${title.replaceAll(/[. ]/g, '-')}`
  const label = beta ? 'display_title' : 'display_name'
  const skill_id = expect.stringMatching(/^skill_[0-9a-z]{26}$/) as string
  const version_id = expect.stringMatching(beta ? /^skillver_[0-9a-z]{26}$/ : /^skver_[0-9a-z]{26}$/) as string
  const moment = expect.stringMatching(/^\d{16}$/) as string
  let id: string

  /** How this shape names a version in a path. */
  const nameOf = (version: { id: string; version?: unknown }): string =>
    beta ? (version.version as string) : version.id

  test('creates a skill from its files, and finds it', async () => {
    const { skills, files } = await visit(generation)
    const made = await skills.create({ [label]: 'A tale', files: await files(`${name}/`, skillFiles(name)) })
    expect(made).toMatchObject(
      beta
        ? {
            id: skill_id,
            type: 'skill',
            display_title: 'A tale',
            latest_version: moment,
            source: 'custom',
            created_at: INSTANT,
          }
        : {
            id: skill_id,
            type: 'skill',
            display_name: 'A tale',
            latest_version_id: version_id,
            source: { type: 'custom' },
            created_at: INSTANT,
          },
    )
    id = made.id
    expect(await skills.retrieve(id)).toEqual(made)
    expect(await collect(skills.list())).toContainEqual(made)
  })

  test('reads all pages of a list by itself, each skill once', async () => {
    const { skills, asked } = await visit(generation)
    const all = await collect(skills.list({ limit: 2, source: 'custom' }))
    const ids = all.map((skill) => skill.id)
    expect(ids).toEqual([...new Set(ids)])
    expect(ids.length).toBeGreaterThanOrEqual(STANDING.length + 1)
    expect(asked).toHaveLength(Math.ceil(ids.length / 2))
    const shown = all.map((skill) => skill['display_name'] ?? skill['id'])
    if (!beta) expect(shown.slice(-3)).toEqual(STANDING)
    const { data } = await skills.list({ source: 'anthropic' })
    expect(data).toMatchObject([{ id: 'pre-built', source: beta ? 'anthropic' : { type: 'anthropic' } }])
  })

  test('adds a version, lists them newest first, and names them in every way', async () => {
    const { skills, files } = await visit(generation)
    const [first] = (await skills.versions.list(id)).data
    const changed = skillFiles(name, 'Say goodbye.')
    const second = await skills.versions.create(id, { files: await files(`${name}/`, changed) })
    const common = { id: version_id, type: 'skill_version', skill_id: id, name, created_at: INSTANT }
    const description = 'Tells a thing. Use it when asked.'
    expect(second).toMatchObject({ ...common, description, ...(beta && { version: moment, directory: name }) })
    expect((await collect(skills.versions.list(id, { limit: 1 }))).map((one) => one.id)).toEqual([second.id, first!.id])
    for (const [alias, version] of [
      ['latest', second],
      ['prod', second],
      ['2', second],
      ['1', first!],
      ['1.0.0', first!],
      [nameOf(first!), first!],
      [second.id, second],
    ] as const) {
      expect([alias, await skills.versions.retrieve(alias, { skill_id: id })]).toEqual([alias, version])
    }
    const skill = await skills.retrieve(id)
    expect(beta ? skill['latest_version'] : skill['latest_version_id']).toBe(nameOf(second))
  })

  test('the same files again are the version that they were', async () => {
    const { skills, files } = await visit(generation)
    const [newest] = (await skills.versions.list(id)).data
    const again = await skills.versions.create(id, { files: await files('', skillFiles(name, 'Say goodbye.')) })
    expect(again).toEqual(newest)
  })

  test('downloads byte for byte what was uploaded, below one folder', async () => {
    const { skills, downloads } = await visit(generation)
    const expected = [skillFiles(name, 'Say goodbye.'), skillFiles(name)]
    const { items } = await server.ok<{ items: { version: string }[] }>('GET', `/api/skills/${name}/versions`)
    for (const [index, version] of (await skills.versions.list(id)).data.entries()) {
      const answer = await downloads.versions.download(nameOf(version), { skill_id: id })
      const unpacked = await unzip(Buffer.from(await answer.arrayBuffer()))
      const wanted = Object.entries(expected[index]!).map(([path, bytes]) => [`${name}/${path}`, bytes] as const)
      expect(Object.keys(unpacked).toSorted()).toEqual(wanted.map(([path]) => path).toSorted())
      for (const [path, bytes] of wanted) expect([path, unpacked[path]!.equals(bytes)]).toEqual([path, true])
      // The digests are those that every other dialect tells.
      const path = `/api/skills/${name}/versions/${items[index]!.version}/files`
      const told = await server.ok<{ items: PackageFile[] }>('GET', path)
      for (const file of told.items) {
        const bytes = unpacked[`${name}/${file.path}`]!
        expect([file.path, file.sha256]).toEqual([file.path, createHash('sha256').update(bytes).digest('hex')])
      }
    }
  })

  test('a name that is taken is told as a conflict, and asked for once', async () => {
    const { skills, sdk, asked, files } = await visit(generation)
    const error = await failure(skills.create({ files: await files(`${name}/`, skillFiles(name)) }))
    expect(error).toBeInstanceOf(sdk.ConflictError)
    expect(error.error!.error).toMatchObject({
      type: 'conflict_error',
      message: expect.stringContaining(`"${name}"`) as string,
      details: { error_code: 'skill_name_taken' },
    })
    expect(asked).toEqual(['POST /v1/skills'])
  })

  test('errors are of the classes of the client, and say what to do', async () => {
    const { skills, sdk, files } = await visit(generation)
    expect(await failure(skills.retrieve(`skill_${'0'.repeat(26)}`))).toBeInstanceOf(sdk.NotFoundError)
    expect(await failure(skills.versions.retrieve('1179178010641129', { skill_id: id }))).toBeInstanceOf(
      sdk.NotFoundError,
    )
    const stranger = await visit(generation, `sk_${'a'.repeat(43)}`)
    expect(await failure(stranger.skills.retrieve(id))).toBeInstanceOf(sdk.AuthenticationError)
    const wrongFolder = await failure(skills.create({ files: await files('another/', skillFiles(name)) }))
    expect(wrongFolder).toBeInstanceOf(sdk.BadRequestError)
    expect(wrongFolder.message).toContain(
      `SKILL.md:2: The folder name 'another' must match the skill name '${name}' in SKILL.md. Give folder and skill the same name.`,
    )
    const nested = await failure(skills.create({ files: await files(`a/${name}/`, skillFiles(name)) }))
    expect(nested.message).toContain('SKILL.md file must be exactly in the top-level folder.')
    const renamed = await failure(skills.versions.create(id, { files: await files('', skillFiles('other-name')) }))
    expect(renamed.message).toContain(`all versions of this skill are named \\"${name}\\"`)
    const reserved = await failure(skills.create({ files: await files('', skillFiles('my-claude')) }))
    expect(reserved.error!.error['details']).toMatchObject({
      error_code: 'package_rejected',
      findings: [{ rule: 'skill_md.name_reserved', file: 'SKILL.md', line: 2, fix: expect.any(String) as string }],
    })
  })

  test('what comes with the server is read, and not changed', async () => {
    const { skills, downloads, files } = await visit(generation)
    expect(await skills.retrieve('pre-built')).toMatchObject({ id: 'pre-built' })
    const version = await skills.versions.retrieve('latest', { skill_id: 'pre-built' })
    expect((await skills.versions.list('pre-built')).data).toEqual([version])
    const answer = await downloads.versions.download(nameOf(version), { skill_id: 'pre-built' })
    const unpacked = await unzip(Buffer.from(await answer.arrayBuffer()))
    expect(unpacked['pre-built/SKILL.md']).toEqual(skillFiles('pre-built')['SKILL.md'])
    for (const change of [
      skills.delete('pre-built'),
      skills.versions.delete(nameOf(version), { skill_id: 'pre-built' }),
      skills.versions.create('pre-built', { files: await files('', skillFiles('pre-built', 'Mine.')) }),
    ]) {
      expect(await failure(change)).toMatchObject({ status: 403 })
    }
  })

  test('deletes versions and the skill', async () => {
    const { skills, sdk } = await visit(generation)
    const [second, first] = (await skills.versions.list(id)).data
    expect(await failure(skills.versions.delete('latest', { skill_id: id }))).toBeInstanceOf(sdk.BadRequestError)
    expect(await skills.versions.delete(nameOf(second!), { skill_id: id })).toEqual({
      id: nameOf(second!),
      type: 'skill_version_deleted',
    })
    // What is left is served, and its number names nothing else.
    expect(await skills.versions.retrieve('prod', { skill_id: id })).toEqual(first)
    expect(await failure(skills.versions.retrieve('2', { skill_id: id }))).toBeInstanceOf(sdk.NotFoundError)
    if (beta) {
      const refused = await failure(skills.delete(id))
      expect(refused).toBeInstanceOf(sdk.BadRequestError)
      await skills.versions.delete(nameOf(first!), { skill_id: id })
      expect(await skills.retrieve(id)).toMatchObject({ latest_version: null })
    }
    expect(await skills.delete(id)).toEqual({ id, type: 'skill_deleted' })
    expect(await failure(skills.retrieve(id))).toBeInstanceOf(sdk.NotFoundError)
    expect((await collect(skills.list())).map((skill) => skill.id)).not.toContain(id)
  })
})

const ask = (rest: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(new URL(`/v1/skills${rest}`, server.url), { headers: { 'x-api-key': server.key, ...headers } })

describe('what clients do with it', () => {
  test('the toolset of the client downloads the skills of an agent', async ({ skip }) => {
    skip(!hasProgram('unzip'), 'this machine has no unzip, which the client calls')
    const { setupSkills } = await import('anthropic-sdk-1.11.0/tools/agent-toolset/node')
    const { default: Anthropic } = await import('anthropic-sdk-1.11.0')
    const client = new Anthropic({ apiKey: server.key, baseURL: server.url })
    const [own] = (await client.skills.list({ limit: 1 })).data
    const workdir = await mkdtemp(join(tmpdir(), 'skillet-toolset-'))
    try {
      const skills = [
        { type: 'custom', skill_id: own!.id, version: 'latest' },
        { type: 'anthropic', skill_id: 'pre-built', version: 'latest' },
      ]
      const remove = await setupSkills({ client, workdir, session: { agent: { skills } } } as never)
      for (const name of [own!.display_name, 'pre-built']) {
        for (const [path, bytes] of Object.entries(skillFiles(name))) {
          expect([path, (await readFile(join(workdir, 'skills', name, path))).equals(bytes)]).toEqual([path, true])
        }
      }
      await remove()
    } finally {
      await rm(workdir, { recursive: true, force: true })
    }
  })

  test('every answer says which request it was, and for which workspace', async () => {
    for (const id of ['pre-built', 'never-was']) {
      const answer = await ask(`/${id}`, { 'anthropic-version': '2026-10-21', 'anthropic-workspace-id': 'wrkspc_01' })
      expect(answer.headers.get('request-id')).toMatch(/^req_/)
      expect(answer.headers.get('anthropic-workspace-id')).toBe('wrkspc_01')
      if (id === 'never-was')
        expect(await answer.json()).toMatchObject({ type: 'error', request_id: answer.headers.get('request-id') })
    }
    expect((await ask('/pre-built')).headers.get('anthropic-workspace-id')).toBeNull()
  })

  test('queries that make no sense are refused, those that mean nothing are not', async () => {
    const answers = await Promise.all(
      ['limit=0', 'limit=1001', 'limit=1e2', 'source=mine', 'page=never', 'page=bnVsbA'].map((query) =>
        ask(`?${query}`),
      ),
    )
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 400, 400, 400])
    expect((await ask('?beta=true&limit=1000&page=&source=')).status).toBe(200)
  })
})
