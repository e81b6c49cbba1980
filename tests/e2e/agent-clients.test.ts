import { type ExecFileException, execFile } from 'node:child_process'
import { createServer, request } from 'node:http'
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Block, type MessagesRequest, startMessagesApi } from '../stand-ins/messages-api.ts'
import { type ClaudeCode, claudeCode } from '../support/claude-code.ts'
import { cli } from '../support/cli.ts'
import { type Front, tlsFront } from '../support/tls-front.ts'
import { TestServer } from './harness.ts'

const GUIDE = {
  'SKILL.md': '---\nname: guide\ndescription: Tells how letters are written. Use for letters.\n---\nBegin with Dear.\n',
}
const LETTERS = {
  'SKILL.md':
    '---\nname: letters\ndescription: Writes letters. Use when one is asked for.\n---\nRun scripts/write.py.\n',
  'scripts/write.py': 'print("Dear")\n',
  'references/long.md': 'Ünïcode\r\n\0binary',
}
const ALL: Readonly<Record<string, Readonly<Record<string, string>>>> = { guide: GUIDE, letters: LETTERS }

/** Programs of 380 MB: each start of one may wait for the disk. */
vi.setConfig({ testTimeout: 300_000 })

let server: TestServer
let front: Front | null
let claude: ClaudeCode
let cwd: string
beforeAll(async () => {
  claude = await claudeCode()
  front = await tlsFront()
  server = await TestServer.start(front === null ? {} : { publicUrl: front.url })
  front?.leadTo(server.url)
  for (const [name, files] of Object.entries(ALL)) await server.deploy(name, files, {}, 'prod')
})
afterAll(async () => {
  await front?.close()
  await server.stop()
})
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'skillet-agent-clients-'))
  await mkdir(join(cwd, 'home'))
})
afterEach(() => rm(cwd, { recursive: true, force: true }))

interface Result {
  readonly code: number
  readonly out: string
}
/** An environment with a home of its own, in which nobody is told what is done. */
const quietly = (): Record<string, string> => ({
  PATH: `${dirname(process.execPath)}:${process.env['PATH']}`,
  HOME: join(cwd, 'home'),
  DISABLE_TELEMETRY: '1',
  DISABLE_AUTOUPDATER: '1',
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL: '1',
})
function run(file: string, args: readonly string[], env: Record<string, string> = {}): Promise<Result> {
  const options = { cwd, env: { ...quietly(), ...env }, timeout: 240_000 }
  return new Promise((resolve) => {
    execFile(file, args, options, (error: ExecFileException | null, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out: out + err })
    })
  })
}
const newLink = async (body: object = {}): Promise<{ id: string; local: string; marketplace_url: string }> => {
  const link = await server.ok<{ id: string; token: string; marketplace_url: string }>('POST', '/api/links', {
    name: 'x',
    ...body,
  })
  return { ...link, local: `${server.url}/t/${link.token}` }
}
async function expectFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  const found = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  expect(found.map((entry) => join(entry.parentPath, entry.name)).toSorted()).toEqual(
    Object.keys(files)
      .map((path) => join(folder, path))
      .toSorted(),
  )
  for (const [path, content] of Object.entries(files)) expect(await readFile(join(folder, path), 'utf8')).toBe(content)
}

describe('skills, the CLI that installs from well-known URIs', () => {
  const SKILLS = createRequire(import.meta.url).resolve('skills/bin/cli.mjs')
  const skills = (...args: string[]): Promise<Result> => run(process.execPath, [SKILLS, ...args])

  test('installs through a link what was uploaded, byte for byte, and locks the digests of the index', async () => {
    const { local } = await newLink()
    const { code, out } = await skills('add', local, '-y', '-a', 'claude-code', '--copy')
    expect([code, out]).toEqual([0, expect.stringContaining('letters')])
    for (const [name, files] of Object.entries(ALL)) await expectFiles(join(cwd, '.claude/skills', name), files)
    const lock = JSON.parse(await readFile(join(cwd, 'skills-lock.json'), 'utf8')) as {
      skills: Record<string, { sourceType: string; wellKnownDigest: string }>
    }
    const index = (await (await fetch(`${local}/.well-known/agent-skills/index.json`)).json()) as {
      skills: { name: string; digest: string }[]
    }
    expect(
      Object.entries(lock.skills).map(([name, { sourceType, wellKnownDigest }]) => ({
        name,
        sourceType,
        wellKnownDigest,
      })),
    ).toEqual(
      index.skills
        .map(({ name, digest }) => ({ name, sourceType: 'well-known', wellKnownDigest: digest }))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    )
  })

  test('installs through the older index, too', async () => {
    const { local } = await newLink()
    // A host that has only that one.
    const old = createServer((asked, answer) => {
      if (asked.url!.includes('/agent-skills/')) answer.writeHead(404).end()
      else {
        const target = new URL(asked.url!, server.url)
        request(target, (got) => void got.pipe(answer.writeHead(got.statusCode!, got.headers))).end()
      }
    })
    await new Promise<void>((done) => void old.listen(0, '127.0.0.1', done))
    try {
      const url = `http://127.0.0.1:${(old.address() as { port: number }).port}${new URL(local).pathname}`
      expect(await skills('add', url, '-y', '-a', 'claude-code', '--copy')).toMatchObject({ code: 0 })
      for (const [name, files] of Object.entries(ALL)) await expectFiles(join(cwd, '.claude/skills', name), files)
    } finally {
      old.closeAllConnections()
      old.close()
    }
  })

  test('finds nothing through a link that was revoked, and nothing at the root', async () => {
    const { id, local } = await newLink()
    await server.ok('DELETE', `/api/links/${id}`)
    for (const url of [local, server.url]) {
      const { out } = await skills('add', url, '-y', '-a', 'claude-code', '--copy')
      expect(out).toMatch(/No (?:well-known )?skills found|not find|Failed|error/i)
      await expect(stat(join(cwd, '.claude'))).rejects.toThrow('ENOENT')
    }
  })
})

function present(context: TestContext): { binary: string; sdk: string } {
  if ('missing' in claude) context.skip(`Claude Code: ${claude.missing}`)
  return claude
}

interface Message {
  readonly type: string
  readonly subtype?: string
  readonly skills?: readonly string[]
  readonly result?: string
}
type Query = (options: { prompt: string; options: object }) => AsyncIterable<Message>

/** One question to the real SDK, whose model is a function. */
async function ask(
  sdk: string,
  model: (asked: MessagesRequest) => readonly Block[],
  options: object,
  more: Record<string, string> = {},
): Promise<{ messages: Message[]; requests: readonly MessagesRequest[] }> {
  const api = await startMessagesApi(model)
  try {
    const { query } = (await import(sdk)) as { query: Query }
    const env = { ...quietly(), ANTHROPIC_BASE_URL: api.url, ANTHROPIC_API_KEY: 'none', ...more }
    const messages: Message[] = []
    const all = { cwd, allowedTools: ['Skill'], maxTurns: 4, env, ...options }
    for await (const message of query({ prompt: 'Write a letter.', options: all })) messages.push(message)
    return { messages, requests: api.requests }
  } finally {
    await api.close()
  }
}

const opened = (asked: MessagesRequest): boolean => JSON.stringify(asked.messages).includes('Begin with Dear.')

test('the Claude Agent SDK finds the skill that was installed, tells the model of it, and opens it when the model wants to', async (context) => {
  const { sdk } = present(context)
  const env = { SKILLET_URL: server.url, SKILLET_KEY: server.key }
  expect(await cli(['install', 'guide', '--to', 'claude-code'], { cwd, env })).toMatchObject({ code: 0 })
  const model = (asked: MessagesRequest): Block[] =>
    opened(asked)
      ? [{ type: 'text', text: 'Dear Ada' }]
      : [{ type: 'tool_use', id: 'toolu_1', name: 'Skill', input: { skill: 'guide' } }]
  const { messages, requests } = await ask(sdk, model, { settingSources: ['project'] })
  expect(messages.find(({ subtype }) => subtype === 'init')!.skills).toContain('guide')
  expect(JSON.stringify(requests[0])).toContain('guide: Tells how letters are written. Use for letters.')
  expect(opened(requests[0]!)).toBe(false)
  expect(opened(requests.at(-1)!)).toBe(true)
  expect(messages.find(({ type }) => type === 'result')).toMatchObject({ subtype: 'success', result: 'Dear Ada' })
})

const claudeCli = (binary: string, ...args: string[]): Promise<Result> =>
  run(binary, args, { ...(front !== null && { NODE_EXTRA_CA_CERTS: front.authorityFile }) })

const NO_ADDRESS = 'Claude Code fetches from no loopback address, and this machine has no other one'

function outside(context: TestContext): Front {
  if (front === null) context.skip(NO_ADDRESS)
  return front
}

describe('Claude Code', () => {
  test('takes the marketplace and its plugins for valid', async (context) => {
    const { binary } = present(context)
    const { local } = await newLink()
    const text = await (await fetch(`${local}/.claude-plugin/marketplace.json`)).text()
    await mkdir(join(cwd, 'market/.claude-plugin'), { recursive: true })
    await writeFile(join(cwd, 'market/.claude-plugin/marketplace.json'), text)
    const { code, out } = await claudeCli(binary, 'plugin', 'validate', 'market', '--json')
    expect([code, JSON.parse(out)]).toEqual([
      0,
      expect.objectContaining({
        success: true,
        manifest: expect.objectContaining({ errors: [], warnings: [] }) as object,
      }),
    ])
  })

  test('adds the marketplace by its link, and installs a plugin whose files are those that were uploaded', async (context) => {
    const { binary } = present(context)
    outside(context)
    const { marketplace_url } = await newLink()
    expect(await claudeCli(binary, 'plugin', 'marketplace', 'add', marketplace_url)).toMatchObject({ code: 0 })
    for (const [name, files] of Object.entries(ALL)) {
      const { code, out } = await claudeCli(binary, 'plugin', 'install', `${name}@skillet-default`)
      expect([code, out]).toEqual([0, expect.stringContaining('Successfully installed')])
      const plugin = join(cwd, 'home/.claude/plugins/cache/skillet-default', name, '1.0.0')
      await expectFiles(join(plugin, 'skills', name), files)
    }
    const details = await claudeCli(binary, 'plugin', 'details', 'letters@skillet-default')
    expect(details.out).toContain('letters')
  })

  test('takes the marketplace with a key in a header, for its archives, too', async (context) => {
    const { sdk } = present(context)
    const { url: origin, authorityFile } = outside(context)
    const headers = { Authorization: `Bearer ${server.key}` }
    const source = { source: 'url', url: `${origin}/marketplace.json`, headers }
    await mkdir(join(cwd, 'home/.claude'), { recursive: true })
    const settings = {
      extraKnownMarketplaces: { 'skillet-default': { source } },
      enabledPlugins: { 'letters@skillet-default': true },
    }
    await writeFile(join(cwd, 'home/.claude/settings.json'), JSON.stringify(settings))
    const env = { CLAUDE_CODE_SYNC_PLUGIN_INSTALL: '1', NODE_EXTRA_CA_CERTS: authorityFile }
    const { messages } = await ask(sdk, () => [{ type: 'text', text: 'Done' }], { settingSources: ['user'] }, env)
    expect(messages.find(({ subtype }) => subtype === 'init')!.skills).toContain('letters:letters')
    await expectFiles(join(cwd, 'home/.claude/plugins/cache/skillet-default/letters/1.0.0/skills/letters'), LETTERS)
  })
})
