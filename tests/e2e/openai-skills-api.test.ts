import OpenAI, {
  type APIError,
  AuthenticationError,
  BadRequestError,
  ConflictError,
  NotFoundError,
  toFile,
} from 'openai'
import type { Skill } from 'openai/resources/skills/skills'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TestServer, zipOf } from './harness.ts'
import { type SkillFiles, skillFiles, unzip } from './skill-clients.ts'

let server: TestServer
const asked: string[] = []
beforeAll(async () => {
  server = await TestServer.start()
})
afterAll(() => server.stop())

const spied: typeof fetch = (input, init) => {
  if (init?.method !== undefined) {
    asked.push(`${init.method} ${new URL(input instanceof Request ? input.url : input).pathname}`)
  }
  return fetch(input, init)
}

function clientOf(apiKey: string = server.key): OpenAI {
  return new OpenAI({ apiKey, baseURL: `${server.url}/v1`, fetch: spied })
}

const filesOf = (folder: string, files: SkillFiles) =>
  Promise.all(Object.entries(files).map(([path, bytes]) => toFile(bytes, folder + path)))

async function zipFile(name: string, files: SkillFiles) {
  return toFile(
    await zipOf(Object.fromEntries(Object.entries(files).map(([path, bytes]) => [`${name}/${path}`, bytes]))),
    'skill.zip',
  )
}

const failure = (work: Promise<unknown>): Promise<APIError> =>
  work.then(
    () => Promise.reject(new Error('It succeeded.')),
    (error: APIError) => error,
  )

const read = async <T extends { id: string }>(items: AsyncIterable<T>): Promise<string[]> => {
  const ids: string[] = []
  for await (const { id } of items) ids.push(id)
  return ids
}

async function content(answer: Response): Promise<Record<string, Buffer>> {
  return unzip(Buffer.from(await answer.arrayBuffer()))
}

describe('openai 7.55.0', () => {
  let skill: Skill
  const first = skillFiles('tale')
  const second = skillFiles('tale', 'Say goodbye.')

  test('creates a skill from its files, or from a zip of them', async () => {
    const client = clientOf()
    skill = await client.skills.create({ files: await filesOf('tale/', first) })
    expect(skill).toEqual({
      id: expect.stringMatching(/^skill_[0-9a-z]{26}$/) as string,
      object: 'skill',
      created_at: expect.any(Number) as number,
      name: 'tale',
      description: 'Tells a thing. Use it when asked.',
      default_version: '1',
      latest_version: '1',
    })
    expect(Math.abs(skill.created_at * 1000 - Date.now())).toBeLessThan(600_000)
    expect(await client.skills.retrieve(skill.id)).toEqual(skill)
    const zipped = await client.skills.create({ files: await zipFile('zipped', skillFiles('zipped')) })
    expect(zipped).toMatchObject({ name: 'zipped', default_version: '1' })
  })

  test('adds a version that is served when it is made the default', async () => {
    const { skills } = clientOf()
    const version = await skills.versions.create(skill.id, { files: await filesOf('tale/', second) })
    expect(version).toEqual({
      id: expect.stringMatching(/^skillver_[0-9a-z]{26}$/) as string,
      object: 'skill.version',
      skill_id: skill.id,
      version: '2',
      name: 'tale',
      description: 'Tells a thing. Use it when asked.',
      created_at: expect.any(Number) as number,
    })
    expect(await skills.versions.retrieve('2', { skill_id: skill.id })).toEqual(version)
    expect(await skills.versions.retrieve('latest', { skill_id: skill.id })).toEqual(version)
    expect(await skills.retrieve(skill.id)).toMatchObject({ default_version: '1', latest_version: '2' })
    expect(await skills.update(skill.id, { default_version: '2' })).toMatchObject({ default_version: '2' })
    expect(await skills.update(skill.id, { default_version: '1' })).toMatchObject({ default_version: '1' })
    const third = await skills.versions.create(skill.id, {
      files: await filesOf('tale/', skillFiles('tale', 'Say no more.')),
      default: true,
    })
    expect(third.version).toBe('3')
    expect(await skills.retrieve(skill.id)).toMatchObject({ default_version: '3', latest_version: '3' })
  })

  test('downloads the default version, or any other, byte for byte', async () => {
    const { skills } = clientOf()
    const wanted = Object.entries(skillFiles('tale', 'Say no more.'))
    const unpacked = await content(await skills.content.retrieve(skill.id))
    expect(Object.keys(unpacked)).toHaveLength(wanted.length)
    for (const [path, bytes] of wanted) expect([path, unpacked[`tale/${path}`]!.equals(bytes)]).toEqual([path, true])
    const old = await content(await skills.versions.content.retrieve('1', { skill_id: skill.id }))
    expect(old['tale/SKILL.md']).toEqual(first['SKILL.md'])
  })

  test('reads all pages of a list by itself, in both orders', async () => {
    const { skills } = clientOf()
    for (const name of ['one', 'two', 'three']) await skills.create({ files: await filesOf('', skillFiles(name)) })
    const newest = await read(skills.list({ limit: 2 }))
    expect(newest).toHaveLength(5)
    expect(await read(skills.list({ limit: 2, order: 'asc' }))).toEqual(newest.toReversed())
    const versions = await read(skills.versions.list(skill.id, { limit: 1 }))
    expect(versions).toHaveLength(3)
    expect(await read(skills.versions.list(skill.id, { limit: 2, order: 'asc' }))).toEqual(versions.toReversed())
    const page = await fetch(new URL('/v1/skills?limit=5', server.url), {
      headers: { authorization: `Bearer ${server.key}` },
    })
    const ends = { first_id: newest[0], last_id: newest[4] }
    expect(await page.json()).toMatchObject({ object: 'list', has_more: false, ...ends })
  })

  test('errors are of the classes of the client, and a conflict is asked for once', async () => {
    const { skills } = clientOf()
    expect(await failure(skills.retrieve('skill_never'))).toMatchObject({
      status: 404,
      code: 'not_found',
      type: 'invalid_request_error',
    })
    expect(await failure(clientOf('sk_none').skills.list())).toBeInstanceOf(AuthenticationError)
    asked.length = 0
    const taken = await failure(skills.create({ files: await filesOf('', skillFiles('tale')) }))
    expect(taken).toBeInstanceOf(ConflictError)
    expect([taken.code, asked]).toEqual(['name_taken', ['POST /v1/skills']])
    const files = { ...skillFiles('bad'), 'SKILL.md': Buffer.from('---\nname: bad\ndescription: ""\n---\nSay it.\n') }
    const refused = await failure(skills.create({ files: await filesOf('bad/', files) }))
    expect(refused).toBeInstanceOf(BadRequestError)
    expect(refused.message).toMatch(/SKILL\.md:3: The description is empty\. Describe in 1 to 1024 characters/)
    expect(refused.error).toMatchObject({ findings: [{ file: 'SKILL.md', line: 3 }] })
    const empty = await failure(skills.update(skill.id, { default_version: '' }))
    expect(empty).toMatchObject({ status: 400, param: 'default_version' })
    expect(await failure(skills.update(skill.id, { default_version: '99' }))).toBeInstanceOf(NotFoundError)
    const noSkill = await zipOf({ 'notes/read.me': 'Hello.' })
    const missing = await failure(skills.create({ files: await toFile(noSkill, 'a.zip') }))
    expect(missing.message).toContain('SKILL.md file must be exactly in the top-level folder.')
  })

  test('deletes versions and the skill; what is left is served', async () => {
    const { skills } = clientOf()
    expect(await skills.versions.delete('3', { skill_id: skill.id })).toEqual({
      id: skill.id,
      object: 'skill.version.deleted',
      deleted: true,
      version: '3',
    })
    expect(await skills.retrieve(skill.id)).toMatchObject({ default_version: '2', latest_version: '2' })
    expect(await failure(skills.versions.retrieve('3', { skill_id: skill.id }))).toBeInstanceOf(NotFoundError)
    expect(await skills.delete(skill.id)).toEqual({ id: skill.id, object: 'skill.deleted', deleted: true })
    expect(await failure(skills.retrieve(skill.id))).toBeInstanceOf(NotFoundError)
  })

  test('what one API stored the other one serves', async () => {
    const made = await clientOf().skills.create({ files: await filesOf('both/', skillFiles('both')) })
    const headers = { 'x-api-key': server.key, 'anthropic-version': '2026-10-21' }
    const answer = await fetch(new URL(`/v1/skills/${made.id}`, server.url), { headers })
    expect(await answer.json()).toMatchObject({ id: made.id, type: 'skill', display_name: 'both' })
    const ours = await fetch(new URL(`/v1/skills/${made.id}/versions/1/content`, server.url), { headers })
    const theirs = await clientOf().skills.content.retrieve(made.id)
    expect(Buffer.from(await ours.arrayBuffer()).equals(Buffer.from(await theirs.arrayBuffer()))).toBe(true)
  })
})
