import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { modern, send } from '../../src/dialects/mcp/fixtures/rpc.ts'
import { TestServer, python } from './harness.ts'
import { connect } from './mcp-world.ts'

const CAPABLE = { extensions: { 'io.modelcontextprotocol/tasks': {} } }
const LONG = python(
  'long',
  'import time\n\ndef handler(input):\n    time.sleep(input["seconds"])\n    if input.get("fail"):\n        raise ValueError("tired")\n    return {"slept": input["seconds"]}\n',
)

let dataDir: string
let server: TestServer
let client: Client
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'skillet-mcp-tasks-'))
  server = await TestServer.start({ dataDir, graceMs: 100 })
  await server.deploy('long', LONG, { size: 'L' }, 'prod')
  await server.deploy('short', python('short', 'def handler(input):\n    return "short"\n'), {}, 'prod')
  client = await connect(server.url, server.key, 'modern', { tasks: true })
})
afterAll(async () => {
  await client.close()
  await server.stop()
  await rm(dataDir, { recursive: true, force: true })
})

const Task = z.looseObject({
  taskId: z.string(),
  status: z.enum(['working', 'input_required', 'completed', 'failed', 'cancelled']),
  ttlMs: z.int(),
  pollIntervalMs: z.int(),
  result: z.unknown().optional(),
})

/** As no client of the protocol does yet: the official one knows no tasks, so the messages are what the extension says. */
async function call(method: string, params: Record<string, unknown>, capabilities: object = CAPABLE) {
  const { message, headers } = modern(method, params, capabilities)
  return send(server.url, message, { key: server.key, headers })
}
const begin = async (args: object) => {
  const { body } = await call('tools/call', { name: 'long', arguments: args })
  expect(body.result).toMatchObject({ resultType: 'task', status: 'working' })
  expect(body.result).not.toHaveProperty('content')
  return Task.parse(body.result)
}
const look = async (taskId: string) => Task.parse((await call('tasks/get', { taskId })).body.result)
const settled = (taskId: string) =>
  server.until(
    () => look(taskId),
    ({ status }) => status !== 'working',
  )

describe('long runs are tasks', () => {
  test('whose id is that of the run, and whose result is asked for later', async () => {
    const task = await begin({ seconds: 1 })
    expect((await server.find(task.taskId)).status).toMatch(/queued|running/)
    expect(task.ttlMs).toBe(30 * 86_400_000)
    expect(await settled(task.taskId)).toMatchObject({
      status: 'completed',
      result: { content: [{ type: 'text', text: '{"slept":1}' }], structuredContent: { slept: 1 } },
    })
  })

  test('that are cancelled as the run is; a second time says the same', async () => {
    const { taskId } = await begin({ seconds: 3600 })
    for (let time = 0; time < 2; time++) {
      const { status, body } = await call('tasks/cancel', { taskId })
      expect([status, body.result?.['resultType']]).toEqual([200, 'complete'])
    }
    expect((await settled(taskId)).status).toBe('cancelled')
    expect((await server.find(taskId)).status).toBe('cancelled')
  })

  test('of which a failure of the skill is a result', async () => {
    const { taskId } = await begin({ seconds: 1, fail: true })
    expect(await settled(taskId)).toMatchObject({
      status: 'completed',
      result: { isError: true, content: [{ type: 'text', text: 'The skill failed (runtime_error): tired' }] },
    })
  })

  test('and take no answers, as skills ask nothing', async () => {
    const { taskId } = await begin({ seconds: 1 })
    const { body } = await call('tasks/update', { taskId, inputResponses: { __proto__: {}, name: {} } })
    expect(body.result).toMatchObject({ resultType: 'complete' })
    expect((await settled(taskId)).status).toBe('completed')
  })

  test('for those who take tasks: the others wait', async () => {
    const plain = await call('tools/call', { name: 'long', arguments: { seconds: 0 } }, {})
    expect(plain.body.result).toMatchObject({ resultType: 'complete', structuredContent: { slept: 0 } })
    const short = await call('tools/call', { name: 'short', arguments: {} })
    expect(short.body.result).toMatchObject({ resultType: 'complete', content: [{ text: 'short' }] })
    expect((await call('tasks/get', { taskId: 'run_0' }, {})).body.error?.code).toBe(-32_021)
  })

  test('belong to whoever began them: other agents do not find them', async () => {
    const { taskId } = await begin({ seconds: 1 })
    const { key, id } = await server.ok<{ key: string; id: string }>('POST', '/api/keys', { name: 'a', role: 'agent' })
    await server.ok('POST', '/api/grants', { principal: id, allowed_skills: ['*'] })
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
      const { message, headers } = modern(method, { taskId, inputResponses: {} }, CAPABLE)
      const { body } = await send(server.url, message, { key, headers })
      expect(body.error, method).toMatchObject({ code: -32_602, message: 'There is no such task.' })
    }
  })

  test('and outlive the server', async () => {
    const before = await begin({ seconds: 1 })
    await settled(before.taskId)
    const during = await begin({ seconds: 2 })
    await server.reached(during.taskId, 'running')
    await server.stop()
    server = await TestServer.start({ dataDir, graceMs: 100 })
    expect(await look(before.taskId)).toMatchObject({
      status: 'completed',
      result: { structuredContent: { slept: 1 } },
    })
    expect((await settled(during.taskId)).status).toBe('completed')
  })
})
