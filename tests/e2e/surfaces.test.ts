import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { SkillsClient } from '@modelcontextprotocol/client/ext/skills'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SIGNATURE_HEADER, type SigningKey, verifySignature } from '../../src/model/signatures.ts'
import type { PackageFile } from '../../src/model/packages.ts'
import type { Version } from '../../src/model/skills.ts'
import { packageDigest } from '../../src/packages/digest.ts'
import { PROFILES } from '../../src/packages/profiles/profile.ts'
import { filesInFolder } from '../../src/packages/verify-files.ts'
import { cli } from '../support/cli.ts'
import { type Artefact, below, fileOf, zipArtefact } from './artefacts.ts'
import { TestServer } from './harness.ts'
import { connect } from './mcp-world.ts'
import { GENERATIONS, type Sdk } from './skill-clients.ts'

/** Held to the demands of every surface; files that are run, that are none but bytes, that are empty, and with awkward names. */
const NAME = 'weekly-report'
const FRONTMATTER = {
  name: NAME,
  description: 'Writes the weekly report from the tracker. Use when a report of the week is asked for.',
  license: 'Apache-2.0',
}
const FILES: Readonly<Record<string, Buffer>> = {
  'SKILL.md': Buffer.from(
    `---\nname: ${FRONTMATTER.name}\ndescription: ${FRONTMATTER.description}\nlicense: ${FRONTMATTER.license}\n---\n\n# Weekly report\n\nRun \`scripts/collect.sh\`, then follow [the style](references/style.md).\n`,
  ),
  'scripts/collect.sh': Buffer.from('#!/bin/sh\necho "nothing happened"\n'),
  'references/style.md': Buffer.from('# Style\n\nShort.\n'),
  'assets/größe 1.bin': Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7) % 256)),
  'assets/empty.txt': Buffer.alloc(0),
}
const EXECUTABLE = 'scripts/collect.sh'

let server: TestServer
let cwd: string
let env: Record<string, string>
let version: Version
let keys: SigningKey[]
beforeAll(async () => {
  server = await TestServer.start()
  cwd = await mkdtemp(join(tmpdir(), 'skillet-surfaces-'))
  env = { SKILLET_DATA: server.dataDir }
  for (const [path, content] of Object.entries(FILES)) {
    const file = join(cwd, NAME, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content)
    await chmod(file, path === EXECUTABLE ? 0o755 : 0o644)
  }
  await skillet('deploy', NAME, '--stage', 'prod', '--yes')
  version = await server.ok<Version>('GET', `/api/skills/${NAME}/versions/prod`)
  keys = (await server.ok<{ items: SigningKey[] }>('GET', '/api/signing-keys')).items
})
afterAll(async () => {
  await server.stop()
  await rm(cwd, { recursive: true, force: true })
})

async function skillet(...args: string[]): Promise<string> {
  const { code, out, err } = await cli(args, { env, cwd })
  expect([code, code === 0 ? '' : err]).toEqual([0, ''])
  return out
}
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const bytesOf = async (answer: Response): Promise<Uint8Array> => new Uint8Array(await answer.arrayBuffer())
const signatureIn = (answer: Response): unknown =>
  JSON.parse(Buffer.from(answer.headers.get(SIGNATURE_HEADER)!, 'base64url').toString())

/** The one version that there is: its digest over what is at hand, and signed by the tenant. */
function expectTheVersion(files: readonly PackageFile[], signature: unknown): void {
  expect(files.map(({ path }) => path).toSorted()).toEqual(Object.keys(FILES).toSorted())
  const digest = packageDigest(files)
  expect(digest).toBe(version.digest)
  expect(verifySignature(signature, keys, digest)).toMatchObject({
    key: keys[0]!.id,
    statement: { predicate: { tenant: version.tenant, skill: NAME, version: '1.0.0' } },
  })
}

/** One folder, with the name that its SKILL.md says, and nothing beside it. */
function expectFolder(zip: Artefact): PackageFile[] {
  const files = below(zip, `${FRONTMATTER.name}/`)
  expect(files.find(({ path }) => path === 'SKILL.md')!.sha256).toBe(sha256(FILES['SKILL.md']!))
  return files
}

test.each(PROFILES)('the skill meets the demands of profile %s', async (profile) => {
  const out = await skillet('validate', NAME, '--profile', profile, '--json')
  expect(JSON.parse(out)).toMatchObject({ valid: true, findings: [] })
})

test('what was uploaded is what the folder holds', async () => {
  expect((await filesInFolder(join(cwd, NAME))).digest).toBe(version.digest)
})

describe('one version, whichever way it is fetched', () => {
  test.each(['claude-ai', 'claude-api', 'claude-code', 'agent-sdk', 'openai', 'well-known'] as const)(
    'as a zip for %s, which is checked when it is written, and can be checked without a server',
    async (surface) => {
      const file = `${surface}.zip`
      await skillet('export', NAME, '--for', surface, '-o', file)
      const zip = await zipArtefact(await readFile(join(cwd, file)))
      expect(zip.bytes).toBeLessThan(30_000_000)
      const signature = JSON.parse(await readFile(join(cwd, `${file}.dsse.json`), 'utf8')) as unknown
      expectTheVersion(surface === 'well-known' ? zip.files : expectFolder(zip), signature)
      await writeFile(join(cwd, 'keys.pem'), await skillet('signing-key', 'list', '--pem'))
      const verified = await cli(['verify', file, '--public-key', 'keys.pem'], { cwd })
      expect(verified).toMatchObject({ code: 0, out: expect.stringContaining(version.digest) })
    },
  )

  test('in a folder .claude/skills, for Claude Code and the Agent SDK', async () => {
    await skillet('install', NAME)
    const folder = join(cwd, '.claude/skills', FRONTMATTER.name)
    const { files, faults } = await filesInFolder(folder)
    expect(faults).toEqual([])
    expectTheVersion(files, JSON.parse(await skillet('version', 'signature', NAME, 'prod')))
  })

  test.each(GENERATIONS.map((one) => [one.name, one] as const))(
    'through the Claude API, by @anthropic-ai/sdk %s',
    async (_, generation) => {
      const sdk = (await generation.load()) as Sdk
      const client = new sdk.default({ apiKey: server.key, baseURL: server.url, authToken: null })
      const listed = await generation.of(client).list()
      const skill = listed.data.find((one) => (one['display_name'] ?? one['display_title'] ?? NAME) === NAME)!
      const latest = await generation.of(client).versions.retrieve('latest', { skill_id: skill.id })
      expect(latest).toMatchObject({ name: NAME, description: FRONTMATTER.description })
      const name = (latest['version'] ?? latest.id) as string
      const answer = await client.beta.skills.versions.download(name, { skill_id: skill.id })
      expectTheVersion(expectFolder(await zipArtefact(await bytesOf(answer))), signatureIn(answer))
    },
  )

  test('through the OpenAI API: below 500 files, 50 MB, and 25 MB each', async () => {
    const { skills } = new OpenAI({ apiKey: server.key, baseURL: `${server.url}/v1` })
    const [skill] = (await skills.list()).data
    expect(skill).toMatchObject({ name: NAME, description: FRONTMATTER.description, default_version: '1' })
    const answer = await skills.content.retrieve(skill!.id)
    const zip = await zipArtefact(await bytesOf(answer))
    expect(zip.files.length).toBeLessThan(500)
    expect(zip.bytes).toBeLessThan(50_000_000)
    expectTheVersion(expectFolder(zip), signatureIn(answer))
  })

  test('over MCP: each file a resource with its digest, what is executable and the signature in _meta', async () => {
    const mcp = await connect(server.url, server.key, 'modern')
    const client = new SkillsClient(mcp)
    const { skills, invalid } = await client.list()
    expect(invalid).toEqual([])
    const { skill } = await client.get(skills[0]!.uri)
    expect(skill.uri.split('/').at(-2)).toBe(FRONTMATTER.name)
    expect(skill.frontmatter).toEqual(FRONTMATTER)
    const root = skill.uri.slice(0, -'SKILL.md'.length)
    const meta = skill['_meta'] as Record<string, unknown>
    const executables = meta['dev.skillet/executables'] as string[]
    const resources = skill.resources as { uri: string; digest: string }[]
    expect(resources.length).toBeLessThanOrEqual(512)
    const files: PackageFile[] = []
    for (const { uri, digest } of resources) {
      const { bytes } = await client.read(skill, uri)
      expect(`sha256:${sha256(bytes)}`).toBe(digest)
      const path = decodeURIComponent(uri.slice(root.length))
      files.push(fileOf(path, bytes, executables.includes(path)))
    }
    expect(meta['dev.skillet/digest']).toBe(version.digest)
    expectTheVersion(files, meta['dev.skillet/signature'])
    await mcp.close()
  })

  test('by a well-known URI: an archive with SKILL.md at its root, and its SHA-256 in the index', async () => {
    const { url } = await server.ok<{ url: string }>('POST', '/api/links', { name: 'of the surfaces' })
    const index = `${url}/.well-known/agent-skills/index.json`
    const { skills } = (await (await fetch(index)).json()) as { skills: Record<string, string>[] }
    expect(skills).toMatchObject([{ name: NAME, type: 'archive', description: FRONTMATTER.description }])
    const answer = await fetch(new URL(skills[0]!['url']!, index))
    expect(answer.headers.get('content-type')).toBe('application/zip')
    const bytes = await bytesOf(answer)
    expect(`sha256:${sha256(bytes)}`).toBe(skills[0]!['digest'])
    expectTheVersion((await zipArtefact(bytes)).files, signatureIn(answer))
  })

  test('from a marketplace of Claude Code: a plugin with this one skill, its archive pinned', async () => {
    interface Plugin {
      readonly name: string
      readonly source: { readonly source: string; readonly url: string; readonly sha256: string }
    }
    const market = await server.ok<{ plugins: Plugin[] }>('GET', '/marketplace.json')
    expect(market.plugins).toMatchObject([{ name: NAME, version: '1.0.0', source: { source: 'archive' } }])
    const { source } = market.plugins[0]!
    const answer = await fetch(source.url, { headers: { authorization: `Bearer ${server.key}` } })
    const bytes = await bytesOf(answer)
    expect(sha256(bytes)).toBe(source.sha256)
    const files = below(await zipArtefact(bytes), `skills/${NAME}/`, ['.claude-plugin/plugin.json'])
    expectTheVersion(files, signatureIn(answer))
  })

  test("as one of Claude's tools: a name, a description, and a schema that takes an object", async () => {
    interface Tool {
      readonly name: string
      readonly description: string
      readonly input_schema: { readonly type: string }
    }
    const { items: tools } = await server.ok<{ items: Tool[] }>('GET', '/api/tools')
    expect(tools).toHaveLength(1)
    expect(tools[0]!.name).toMatch(/^[a-zA-Z0-9_-]{1,128}$/)
    expect(tools[0]).toMatchObject({ description: expect.stringContaining(FRONTMATTER.description) as string })
    expect(tools[0]!.input_schema.type).toBe('object')
  })
})

test('what a product would refuse is not made for it', async () => {
  const content = FILES['SKILL.md']!.toString().replace(NAME, 'claude-report')
  await server.deploy('claude-report', { 'SKILL.md': content, ...others() }, {}, 'prod')
  const refused = await cli(['export', 'claude-report', '--for', 'claude-ai'], { env, cwd })
  expect(refused.code).toBe(6)
  expect(refused.err).toContain('skill_md.name_reserved')
  expect(await cli(['verify', 'claude-report-1.0.0.zip'], { env, cwd })).toMatchObject({ code: 2 })
  await skillet('export', 'claude-report', 'latest', '--for', 'claude-code')
  expect(await skillet('verify', 'claude-report-1.0.0.zip')).toContain('claude-report 1.0.0')
  const again = await cli(['export', 'claude-report', '--for', 'openai'], { env, cwd })
  expect(again).toMatchObject({ code: 2, err: expect.stringContaining('There is such a file already.') })
})

const others = (): Record<string, Buffer> =>
  Object.fromEntries(Object.entries(FILES).filter(([path]) => path !== 'SKILL.md'))
