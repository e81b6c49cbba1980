import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Client } from '@modelcontextprotocol/client'
import { SkillsClient } from '@modelcontextprotocol/client/ext/skills'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bridge } from '../../src/cli/mcp-bridge.ts'
import type { Page } from '../../src/model/page.ts'
import type { Run } from '../../src/model/runs.ts'
import { cli } from '../support/cli.ts'
import { hasProgram } from '../support/has-program.ts'
import { TestServer, python } from './harness.ts'
import { ERAS, type Era, deployWorld } from './mcp-world.ts'

const SKILLET = fileURLToPath(new URL('../../bin/skillet.js', import.meta.url))

let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
  await deployWorld(server)
  const schema = {
    type: 'object',
    properties: { where: { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } } },
  }
  const main = 'def handler(input):\n    return input["where"]["region"]\n'
  await server.deploy('routed', python('routed', main, { input: schema }), {}, 'prod')
})
afterAll(() => server.stop())

/** The official client, which starts our command as hosts do. */
async function connect(era: Era | 'auto'): Promise<Client> {
  const client = new Client(
    { name: 'test', version: '1.0.0' },
    { versionNegotiation: { mode: era === 'modern' ? { pin: '2026-07-28' } : era } },
  )
  const env = { SKILLET_URL: server.url, SKILLET_KEY: server.key, HOME: '/nonexistent' }
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args: [SKILLET, 'mcp', '--stdio'], env, stderr: 'inherit' }),
  )
  return client
}

describe.each([...ERAS, 'auto' as const])('the bridge for local clients, %s', (era) => {
  let client: Client
  beforeAll(async () => {
    client = await connect(era)
  })
  afterAll(() => client.close())

  test('passes calls, progress, failures and files on', async () => {
    const told: string[] = []
    const options = { onprogress: ({ message = '' }) => void told.push(message) }
    // What is told last the client may take for too late: it comes with the result.
    const result = await client.callTool({ name: 'slow', arguments: { steps: 3, pause: 0.3 } }, options)
    expect(result.content).toEqual([{ type: 'text', text: 'slept' }])
    expect(told.join('\n')).toContain('step 0')
    expect((await client.callTool({ name: 'fail', arguments: {} })).isError).toBe(true)
    await expect(client.callTool({ name: 'nothing' })).rejects.toMatchObject({ code: -32_602 })
    const skills = new SkillsClient(client)
    const { skill } = await skills.get('skill://default/release-notes/SKILL.md')
    for (const path of ['assets/logo.png', 'references/style guide.md']) {
      expect((await skills.read(skill, path)).verified, path).toBe(true)
    }
  })

  test('says in headers what a tool wants to be said there', async () => {
    await client.listTools()
    for (const region of ['eu', 'Zürich 東京', ' padded ']) {
      const result = await client.callTool({ name: 'routed', arguments: { where: { region } } })
      expect(result.content).toEqual([{ type: 'text', text: region }])
    }
  })

  test('cancels what the client gives up', async () => {
    const abort = new AbortController()
    const { promise: began, resolve } = Promise.withResolvers<void>()
    const call = client.callTool(
      { name: 'slow', arguments: { steps: 1, pause: 3600 } },
      { signal: abort.signal, onprogress: ({ message }) => message?.includes('step') && resolve() },
    )
    call.catch(() => {})
    await began
    abort.abort()
    await expect(call).rejects.toThrow()
    await server.until(
      async () => (await server.ok<Page<Run>>('GET', '/api/runs?limit=1')).items[0]!,
      ({ status }) => status === 'cancelled',
    )
  })
})

describe('the bridge by itself', () => {
  const list = JSON.stringify({ jsonrpc: '2.0', id: 'a', method: 'tools/list' })

  test('answers what is no message, and goes on', async () => {
    expect(await exchange(['{', '[]', 'null', list], here)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ id: null, error: expect.objectContaining({ code: -32_700 }) }),
        expect.objectContaining({ id: null, error: expect.objectContaining({ code: -32_600 }) }),
        expect.objectContaining({ id: 'a', result: expect.objectContaining({ tools: expect.any(Array) }) }),
      ]),
    )
  })

  test('tells which request a refusal belongs to, and says so when there is no server', async () => {
    const [refused] = await exchange([list], () => ({ ...here(), key: 'sk_wrong' }))
    expect(refused).toMatchObject({ id: 'a', error: { data: { code: 'unauthenticated' } } })
    const [lost] = await exchange([list], () => ({ url: new URL('http://127.0.0.1:1/mcp'), key: 'x' }))
    expect(lost).toMatchObject({ id: 'a', error: { code: -32_603 } })
  })

  test('answers what was asked before the input ended, as of a shell', async () => {
    const input = new PassThrough()
    const answers: unknown[] = []
    input.end('{"jsonrpc":"2.0","id":"a","method":"tools/list"}\n')
    const output = (line: string): void => void answers.push(JSON.parse(line))
    await bridge({ input, output, target: here, signal: new AbortController().signal })
    expect(answers).toMatchObject([{ id: 'a', result: { tools: expect.any(Array) as unknown[] } }])
  })

  test('cancels what is under way when the client goes', async () => {
    const input = new PassThrough()
    const output = new PassThrough()
    const signal = new AbortController().signal
    const over = bridge({ input, output: (line) => void output.write(line), target: here, signal })
    const params = { name: 'slow', arguments: { steps: 1, pause: 3600 }, _meta: { progressToken: 1 } }
    input.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })}\n`)
    await once(output, 'data')
    input.end()
    await over
    await server.until(
      async () => (await server.ok<Page<Run>>('GET', '/api/runs?limit=1')).items[0]!,
      ({ status }) => status === 'cancelled',
    )
  })
})

describe('what clients are configured with', () => {
  test('has no key in it', async () => {
    const stdio = await cli(['mcp', 'config', '--stage', 'dev'], { env: env() })
    expect(stdio.out).not.toContain(server.key)
    expect(JSON.parse(stdio.out)).toEqual({
      mcpServers: {
        skillet: {
          command: 'skillet',
          args: ['mcp', '--stdio', '--stage', 'dev'],
          env: { SKILLET_URL: server.url, SKILLET_KEY: '${SKILLET_KEY}' },
        },
      },
    })
    const http = await cli(['mcp', 'config', '--transport', 'http', '--name', 'mine'], { env: env() })
    expect(JSON.parse(http.out)).toEqual({
      mcpServers: {
        mine: { type: 'http', url: `${server.url}/mcp`, headers: { Authorization: 'Bearer ${SKILLET_KEY}' } },
      },
    })
    const local = await cli(['mcp', 'config', '--data', server.dataDir])
    expect(JSON.parse(local.out)).toMatchObject({
      mcpServers: {
        skillet: { args: ['mcp', '--stdio', '--url', server.url, '--key-file', `${server.dataDir}/owner.key`] },
      },
    })
  })

  test('and the example of the docs does what it says', async ({ skip }) => {
    skip(!hasProgram('curl'), 'this machine has no curl')
    const page = await readFile(new URL('../../docs/mcp.md', import.meta.url), 'utf8')
    const [, command] = /```sh\n(curl [^`]+)```/.exec(page)!
    const { stdout } = await promisify(execFile)('bash', ['-c', command!], { env: { ...process.env, ...env() } })
    const [, message] = /^data: (.*)$/m.exec(stdout) ?? [stdout, stdout]
    const { result } = JSON.parse(message ?? '') as { result: { tools: { name: string }[] } }
    expect(result.tools.map(({ name }) => name)).toContain('slow')
  })

  test('people who type the command are told what it is for', async () => {
    const { code, err } = await cli(['mcp'], { env: env() })
    expect([code, err]).toEqual([2, expect.stringContaining('skillet mcp --stdio')])
  })
})

const env = () => ({ SKILLET_URL: server.url, SKILLET_KEY: server.key })
const here = () => ({ url: new URL('/mcp', server.url), key: server.key })

/** What the bridge answers to the lines. */
async function exchange(lines: string[], target: Parameters<typeof bridge>[0]['target']): Promise<unknown[]> {
  const input = new PassThrough()
  const answers: unknown[] = []
  const over = bridge({
    input,
    output: (line) => void answers.push(JSON.parse(line)),
    target,
    signal: new AbortController().signal,
  })
  for (const line of lines) input.write(`${line}\n`)
  await server.until(
    async () => answers.length,
    (count) => count >= lines.length,
  )
  input.end()
  await over
  return answers
}
