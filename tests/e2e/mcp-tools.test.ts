import type { Client } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AuditEvent } from '../../src/model/audit.ts'
import type { Page } from '../../src/model/page.ts'
import type { Run } from '../../src/model/runs.ts'
import { TestServer } from './harness.ts'
import { ERAS, connect, deployWorld } from './mcp-world.ts'

let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
  await deployWorld(server)
})
afterAll(() => server.stop())

describe.each(ERAS)('tools for clients of the %s generation', (era) => {
  let client: Client
  beforeAll(async () => {
    client = await connect(server.url, server.key, era)
  })
  afterAll(() => client.close())

  test('are the functions that the stage prod serves', async () => {
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name).sort()).toEqual(['add', 'fail', 'shout', 'slow'])
    expect(tools.find(({ name }) => name === 'add')).toMatchObject({
      description: 'The skill add of a test.',
      inputSchema: { type: 'object', properties: { a: { type: 'number' } }, required: ['a', 'b'] },
      outputSchema: { type: 'object', properties: { sum: { type: 'number' } } },
      _meta: { 'dev.skillet/version': '1.0.0' },
    })
  })

  test('answer with what the skill returned', async () => {
    const result = await client.callTool({ name: 'add', arguments: { a: 20, b: 22 } })
    expect(result).toMatchObject({ structuredContent: { sum: 42 }, content: [{ type: 'text', text: '{"sum":42}' }] })
    expect(result.isError).not.toBe(true)
    const run = await server.find(result._meta!['dev.skillet/run'] as string)
    expect(run).toMatchObject({ status: 'succeeded', input: { a: 20, b: 22 } })
  })
  test('may take and give what is no object: it is the argument "input"', async () => {
    const { tools } = await client.listTools()
    expect(tools.find(({ name }) => name === 'shout')!.inputSchema).toEqual({
      type: 'object',
      properties: { input: { type: 'string', minLength: 1 } },
      required: ['input'],
    })
    const result = await client.callTool({ name: 'shout', arguments: { input: 'loud' } })
    expect(result.content).toEqual([{ type: 'text', text: 'LOUD' }])
    // The older generation has no other structures than objects.
    expect(result.structuredContent).toEqual(era === 'modern' ? 'LOUD' : { result: 'LOUD' })
  })

  test('that fail say why, in a result that the model reads', async () => {
    const result = await client.callTool({ name: 'fail', arguments: {} })
    expect(result).toMatchObject({ isError: true, _meta: { 'dev.skillet/reason': 'runtime_error' } })
    expect((result.content[0] as { text: string }).text).toBe('The skill failed (runtime_error): the moon is full')
  })

  test('that are called with a wrong input say which place is wrong, and no run is begun', async () => {
    const result = await client.callTool({ name: 'add', arguments: { a: 'x', b: 2 } })
    expect(result).toMatchObject({ isError: true, _meta: { 'dev.skillet/reason': 'input_invalid' } })
    expect((result.content[0] as { text: string }).text).toContain('/a')
    expect(result._meta).not.toHaveProperty(['dev.skillet/run'])
  })

  test('may be called with underscores, which some hosts write for hyphens; what is none is refused', async () => {
    for (const name of ['nothing', 'constructor', '__proto__', 'only-dev', 'release-notes', 'a b', '../add', '']) {
      await expect(client.callTool({ name, arguments: {} }), name).rejects.toMatchObject({ code: -32_602 })
    }
  })

  test('tell how they get on', async () => {
    const told: { progress: number; message?: string | undefined }[] = []
    const result = await client.callTool(
      { name: 'slow', arguments: { steps: 3, pause: 0.3 } },
      { onprogress: (one) => void told.push(one) },
    )
    expect(result.content).toEqual([{ type: 'text', text: 'slept' }])
    const messages = told.map(({ message }) => message).join('\n')
    expect(messages).toContain('running')
    // What is told last the client may take for too late: it comes with the result.
    expect(messages).toContain('step 0')
    const numbers = told.map(({ progress }) => progress)
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
    expect(new Set(numbers).size).toBe(numbers.length)
  })

  test('that nobody waits for any more are cancelled', async () => {
    const abort = new AbortController()
    const { promise: seen, resolve } = Promise.withResolvers<void>()
    const call = client.callTool(
      { name: 'slow', arguments: { steps: 1, pause: 3600 } },
      { signal: abort.signal, onprogress: ({ message }) => message?.includes('step') && resolve() },
    )
    call.catch(() => {})
    await seen
    abort.abort()
    await expect(call).rejects.toThrow()
    const over = await server.until(
      async () => (await server.ok<Page<Run>>('GET', '/api/runs?limit=1')).items[0]!,
      ({ status }) => status === 'cancelled',
    )
    expect((await server.find(over.id)).input).toEqual({ steps: 1, pause: 3600 })
    const log = await server.ok<Page<AuditEvent>>('GET', '/api/audit?limit=10')
    expect(log.items.map(({ action }) => action)).toContain('run.cancel')
  })

  test('that are called again with the same idempotency key are run once', async () => {
    const call = {
      name: 'add',
      arguments: { a: 1, b: 1 },
      _meta: { 'dev.skillet/idempotency-key': `once-${era}` },
    }
    const [first, second] = [await client.callTool(call), await client.callTool(call)]
    expect(second._meta!['dev.skillet/run']).toBe(first._meta!['dev.skillet/run'])
    const other = await client.callTool({ ...call, arguments: { a: 1, b: 2 } })
    expect(other).toMatchObject({ isError: true, _meta: { 'dev.skillet/reason': 'idempotency_mismatch' } })
  })

  test('of another stage are there for those who ask for it', async () => {
    const dev = await connect(server.url, server.key, era, { path: '/mcp?stage=dev' })
    expect((await dev.listTools()).tools.map(({ name }) => name)).toEqual(['only-dev'])
    expect((await dev.callTool({ name: 'only_dev' })).content).toEqual([{ type: 'text', text: 'dev' }])
    await dev.close()
  })
})

test('a message can cancel another where streams are not hung up on; one of somebody else cannot', async () => {
  const params = { name: 'slow', arguments: { steps: 1, pause: 3600 } }
  const post = (message: object, key = server.key) =>
    fetch(new URL('/mcp', server.url), {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
    })
  const call = post({ id: 'x1', method: 'tools/call', params })
  const newest = async () => (await server.ok<Page<Run>>('GET', '/api/runs?limit=1')).items[0]!
  const { id } = await server.until(newest, ({ status }) => status === 'running')
  const { key } = await server.ok<{ key: string }>('POST', '/api/keys', { name: 'other', role: 'owner' })
  const cancel = { method: 'notifications/cancelled', params: { requestId: 'x1' } }
  expect((await post(cancel, key)).status).toBe(202)
  expect((await post({ ...cancel, params: { requestId: 1 } })).status).toBe(202)
  expect((await server.find(id)).cancel_requested).toBe(false)
  expect((await post(cancel)).status).toBe(202)
  await server.reached(id, 'cancelled')
  expect(await (await call).text()).toContain('The call was cancelled.')
})
