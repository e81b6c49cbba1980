import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packageOf } from '../../http/fixtures/packages.ts'
import { type TestServer, startTestServer } from '../../http/fixtures/test-server.ts'
import { LIMITS } from '../../model/sizes.ts'
import { modern, send } from './fixtures/rpc.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await server.deploy('adder', 'prod', packageOf('adder'))
})
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})

const post = (body: unknown, headers: Record<string, string> = {}) =>
  send(server.url, body, { key: server.key, headers })
const ask = (method: string, params: Record<string, unknown> = {}, more: Record<string, string> = {}) => {
  const { message, headers } = modern(method, params)
  return post(message, { ...headers, ...more })
}
const runs = async () => (await server.call<{ items: object[] }>('GET', '/api/runs')).body.items.length
const outcome = ({ status, body }: Awaited<ReturnType<typeof send>>) => [status, body.error?.code]

describe('bodies', () => {
  test.each<[string, unknown, number, number]>([
    ['nothing', '', 400, -32_700],
    ['no JSON', '{"jsonrpc":', 400, -32_700],
    ['JSON that nests too deep', '['.repeat(5000), 400, -32_700],
    ['a batch', [modern('tools/list').message, modern('tools/list').message], 400, -32_600],
    ['a batch of nothing', [], 400, -32_600],
    ['a text', '"tools/list"', 400, -32_600],
    ['null', 'null', 400, -32_600],
    ['an object that is no message', {}, 400, -32_600],
    ['a message with a member of a prototype', '{"__proto__":{"method":"tools/list"},"id":1}', 400, -32_600],
  ])('%s', async (_name, body, status, code) => {
    expect(outcome(await post(body))).toEqual([status, code])
  })

  test('that are too large, or are no JSON, are not read', async () => {
    const large = await post(JSON.stringify({ ...modern('tools/list').message, more: 'x'.repeat(LIMITS.requestBytes) }))
    expect([large.status, large.body.error?.data?.['code']]).toEqual([413, 'body_too_large'])
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=utf-16']) {
      const answer = await post(modern('tools/list').message, { 'content-type': type })
      expect([answer.status, answer.body.error?.data?.['code']], type).toEqual([415, 'unsupported_media_type'])
    }
    const packed = await post(modern('tools/list').message, { 'content-encoding': 'gzip' })
    expect(packed.status).toBe(415)
  })
})

describe('messages of many members', () => {
  const many = Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`k${at}`, at]))
  const long = 'x'.repeat(LIMITS.rpcChars)

  test.each<[string, object]>([
    ['parameters', { method: 'tools/list', params: many }],
    ['_meta', { method: 'tools/list', params: { _meta: many } }],
    ['capabilities', { method: 'initialize', params: { capabilities: { experimental: many } } }],
    ['the message itself', { method: 'tools/list', ...many }],
    ['a result', { result: many }],
    ['an error', { error: { code: 1, message: '', data: many } }],
    ['an id', { method: 'tools/list', id: Object.values(many) }],
    ['parameters beside arguments', { method: 'tools/call', params: { name: 'adder', arguments: many, ...many } }],
    ['arguments that are a list', { method: 'tools/call', params: { name: 'adder', arguments: Object.values(many) } }],
    ['a long text', { method: 'resources/read', params: { uri: `skill://${long}` } }],
  ])('are refused unless a skill gets them: %s', async (_name, message) => {
    const answer = await post({ jsonrpc: '2.0', id: 1, ...message })
    expect([answer.status, answer.body.error?.data?.['code']]).toEqual([413, 'body_too_large'])
  })

  test('a progress token, which each notification repeats, is not long, and nothing is run for one that is', async () => {
    const before = await runs()
    const _meta = { progressToken: 't'.repeat(1001) }
    const message = {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'adder', arguments: { a: 1 }, _meta },
    }
    expect((await post(message)).body.error).toMatchObject({
      code: -32_602,
      message: 'The progress token has 1001 characters; at most 1000 are taken.',
    })
    expect(await runs()).toBe(before)
  })

  test('arguments of a tool may be many: its schema says whether they are too many', async () => {
    for (const more of [many, { long }]) {
      const { message, headers } = modern('tools/call', { name: 'adder', arguments: { a: 'no number', ...more } })
      const { body } = await post(message, headers)
      expect(body.result).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('/a') as string }] })
    }
  })
})

test('what headers have to repeat of many arguments is not left uncompared', async () => {
  const input_schema = { type: 'object', properties: { to: { type: 'string', 'x-mcp-header': 'To' } } }
  await server.deploy('headed', 'prod', { ...packageOf('headed'), input_schema })
  const many = { to: 'a', list: Array.from({ length: LIMITS.rpcMembers }, () => 0) }
  const { message, headers } = modern('tools/call', { name: 'headed', arguments: many })
  expect((await post(message, { ...headers, 'mcp-param-to': 'b' })).body.error?.code).toBe(-32_602)
})

describe('headers', () => {
  test.each<[string, Record<string, string>, number]>([
    ['another method', { 'mcp-method': 'tools/call' }, -32_020],
    ['another revision than the message', { 'mcp-protocol-version': '2025-11-25' }, -32_020],
  ])('that name %s are a mismatch', async (_name, headers, code) => {
    expect(outcome(await ask('tools/list', {}, headers))).toEqual([400, code])
  })

  test('that are missing are one, too', async () => {
    const { message, headers } = modern('tools/call', { name: 'adder', arguments: { a: 1 } })
    const { 'mcp-name': _name, ...others } = headers as Record<string, string>
    expect(outcome(await post(message, others))).toEqual([400, -32_020])
  })

  test('a revision that nobody speaks is refused, and those that are spoken are named', async () => {
    const { message, headers } = modern('tools/list')
    const meta = { ...message.params._meta, 'io.modelcontextprotocol/protocolVersion': '2031-01-01' }
    const answer = await post(
      { ...message, params: { _meta: meta } },
      { ...headers, 'mcp-protocol-version': '2031-01-01' },
    )
    expect(outcome(answer)).toEqual([400, -32_022])
    expect(answer.body.error?.data?.['supported']).toEqual(['2026-07-28'])
  })

  test('a key for repeats that is none is refused', async () => {
    const { message, headers } = modern('tools/call', { name: 'adder', arguments: { a: 1 } })
    expect((await post(message, { ...headers, 'idempotency-key': 'x'.repeat(300) })).status).toBe(400)
  })
})

describe('methods', () => {
  test.each([
    'nonsense',
    'tools/list/all',
    '__proto__',
    'constructor',
    'toString',
    'initialize',
    'logging/setLevel',
    'tasks/list',
    'tasks/result',
  ])('that there are not are not found: %s', async (method) => {
    const answer = await ask(method)
    expect(outcome(answer)).toEqual([404, -32_601])
    expect(answer.body.id).toBe(7)
  })

  test('of HTTP other than POST are not served', async () => {
    for (const method of ['GET', 'DELETE', 'PUT']) {
      const answer = await send(server.url, '', { key: server.key, method })
      expect([answer.status, answer.headers['allow']], method).toEqual([405, 'POST'])
    }
  })

  test('with parameters of the wrong kind say so', async () => {
    for (const [method, params] of [
      ['tools/call', { name: 7 }],
      ['tools/call', { name: 'adder', arguments: [1] }],
      ['skills/get', {}],
      ['resources/directory/read', { uri: null }],
    ] as const) {
      const answer = await ask(method, params, method === 'tools/call' ? { 'mcp-name': String(params.name) } : {})
      expect(answer.body.error?.code, `${method} ${JSON.stringify(params)}`).toBeOneOf([-32_602, -32_020])
      expect(answer.body.error?.message).not.toContain('stack')
    }
  })

  test('of tasks are for those who take tasks, and find only runs', async () => {
    const plain = await ask('tasks/get', { taskId: 'run_x' })
    expect(outcome(plain)).toEqual([400, -32_021])
    for (const taskId of ['run_nothing', 'nonsense', '../../etc/passwd', '__proto__', '']) {
      const { message, headers } = modern(
        'tasks/get',
        { taskId },
        { extensions: { 'io.modelcontextprotocol/tasks': {} } },
      )
      const answer = await post(message, headers)
      expect(answer.body.error?.code, taskId).toBe(-32_602)
    }
  })
})

test('older clients have no tasks: they are told that there is no such method', async () => {
  for (const method of ['tasks/get', 'tasks/cancel', 'tasks/list']) {
    const answer = await post({ jsonrpc: '2.0', id: 1, method, params: { taskId: 'run_x' } })
    expect(outcome(answer), method).toEqual([200, -32_601])
  }
})

test('a stage that is no name is refused, and one that there is not has nothing', async () => {
  const { message, headers } = modern('tools/list')
  const options = { key: server.key, headers }
  expect((await send(server.url, message, { ...options, path: '/mcp?stage=..%2Fprod' })).status).toBe(400)
  const none = await send(server.url, message, { ...options, path: '/mcp?stage=nowhere' })
  expect(none.body.result?.['tools']).toEqual([])
})
