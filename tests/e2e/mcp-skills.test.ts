import { createHash } from 'node:crypto'
import type { Client } from '@modelcontextprotocol/client'
import { SkillsClient } from '@modelcontextprotocol/client/ext/skills'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TestServer } from './harness.ts'
import { ERAS, NOTES, connect, deployWorld } from './mcp-world.ts'

const ROOT = 'skill://default/release-notes'
let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
  await deployWorld(server)
})
afterAll(() => server.stop())

describe.each(ERAS)('skills for clients of the %s generation', (era) => {
  let client: Client
  let skills: SkillsClient
  beforeAll(async () => {
    client = await connect(server.url, server.key, era)
    skills = new SkillsClient(client)
  })
  afterAll(() => client.close())

  test('are those with a SKILL.md, frontmatter verbatim, every file with the digest that it is stored under', async () => {
    expect([skills.supported, skills.directoryRead]).toEqual([true, true])
    const listing = await skills.list()
    expect(listing.invalid).toEqual([])
    expect(listing.skills.map(({ uri }) => uri)).toEqual([`${ROOT}/SKILL.md`])
    const [skill] = listing.skills
    expect(skill!.frontmatter).toEqual({
      name: 'release-notes',
      description: 'Writes release notes. Use it when a release is cut.',
      license: 'Apache-2.0',
      metadata: { team: 'docs' },
    })
    expect(skill!['_meta']).toMatchObject({
      'dev.skillet/version': '1.0.0',
      'dev.skillet/digest': expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    })
    if (era === 'modern') expect(listing).toMatchObject({ cacheScope: 'private' })
    const digests = Object.values(NOTES).map((bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`)
    const told = skill!.resources as { digest: string; size: number }[]
    expect(told.map(({ digest }) => digest).sort()).toEqual(digests.sort())
    expect((await skills.get(skill!.uri)).skill).toEqual(skill)
  })

  test('give every byte of every file, which the official client checks', async () => {
    const { skill } = await skills.get(`${ROOT}/SKILL.md`)
    for (const [path, bytes] of Object.entries(NOTES)) {
      const { uri } = (skill.resources as { uri: string }[]).find((one) => decodeURIComponent(one.uri).endsWith(path))!
      const file = await skills.read(skill, uri)
      expect(Buffer.from(file.bytes).equals(Buffer.from(bytes as string)), path).toBe(true)
      expect(file.verified).toBe(true)
    }
    const first = await skills.read(skill)
    expect(first).toMatchObject({ mimeType: 'text/markdown', frontmatter: skill.frontmatter })
  })

  test('are folders that can be looked into', async () => {
    expect(await look(skills, '')).toEqual([
      ['SKILL.md', 'text/markdown'],
      ['assets', 'inode/directory'],
      ['references', 'inode/directory'],
      ['scripts', 'inode/directory'],
    ])
    expect(await look(skills, '/references')).toEqual([
      ['deep', 'inode/directory'],
      ['style guide.md', 'text/markdown'],
    ])
    expect(await look(skills, '/references/deep/er')).toEqual([['ünïcode #1 (50%).txt', 'text/plain']])
    for (const path of ['/nothing', '/SKILL.md', '/', '/references/', '/..', '/references/..']) {
      await expect(look(skills, path), path).rejects.toMatchObject({ code: -32_602 })
    }
  })

  test('are resources, too, and the index that older clients read', async () => {
    const { resources } = await client.listResources()
    expect(resources.map(({ uri, name }) => [uri, name])).toEqual([
      ['skill://index.json', 'index.json'],
      [`${ROOT}/SKILL.md`, 'release-notes'],
    ])
    const { contents } = await client.readResource({ uri: 'skill://index.json' })
    expect(JSON.parse((contents[0] as { text: string }).text)).toEqual({
      $schema: 'https://schemas.agentskills.io/discovery/0.2.0/schema.json',
      skills: [
        {
          name: 'release-notes',
          type: 'skill-md',
          description: 'Writes release notes. Use it when a release is cut.',
          url: `${ROOT}/SKILL.md`,
          digest: `sha256:${createHash('sha256').update(NOTES['SKILL.md']!).digest('hex')}`,
        },
      ],
    })
  })

  test.each([
    'skill://other-tenant/release-notes/SKILL.md',
    'skill://other-tenant/../default/release-notes/SKILL.md',
    `${ROOT}/..%2Frelease-notes/SKILL.md`,
    `${ROOT}/%2e%2e/%2e%2e/etc/passwd`,
    `${ROOT}/references%2Fstyle%20guide.md`,
    `${ROOT}/SKILL.md?x=1`,
    `${ROOT}/`,
    ROOT,
    'skill://default/__proto__/SKILL.md',
    'skill://default/add/SKILL.md',
    'skill://index.json/x',
    'file:///etc/passwd',
    'no uri',
  ])('are not found by tricks: %s', async (uri) => {
    await expect(client.readResource({ uri })).rejects.toMatchObject({ code: -32_602 })
    await expect(skills.get(uri)).rejects.toMatchObject({ code: -32_602 })
  })

  test('and cursors that nobody gave out are refused', async () => {
    for (const cursor of ['nonsense', '__proto__', Buffer.from('["x",1]').toString('base64url')]) {
      await expect(client.listTools({ cursor })).rejects.toMatchObject({ code: -32_602 })
      await expect(client.listResources({ cursor })).rejects.toMatchObject({ code: -32_602 })
      await expect(skills.list({ cursor })).rejects.toMatchObject({ code: -32_602 })
    }
  })
})

const look = async (skills: SkillsClient, path: string) =>
  (await skills.readDirectory(`${ROOT}${path}`)).resources.map(({ name, mimeType }) => [name, mimeType])
