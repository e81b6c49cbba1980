import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Page } from '../../src/model/page.ts'
import type { Delivery } from '../../src/model/webhooks.ts'
import { accept, newSigningSecret, openSink, verify } from '../../src/webhooks/fixtures/sink.ts'
import { TestServer, python } from './harness.ts'

const CLI = new URL('../../src/cli/main.ts', import.meta.url).pathname
const NETWORK = '127.0.0.0/8'
const MAIN = 'def handler(input: dict) -> dict:\n    return {"got": 1 / input["by"]}\n'
const HOOK = '/api/skills/divide/stages/dev/webhook'

const secret = newSigningSecret()
let dataDir: string
let children: ChildProcess[]

beforeAll(async () => {
  children = []
  dataDir = await mkdtemp(join(tmpdir(), 'skillet-e2e-webhooks-'))
  const server = await start()
  await server.deploy('divide', python('divide', MAIN), { size: 'S' })
  await server.ok('POST', '/api/secrets', { name: 'hook', value: secret })
  await server.stop()
})
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await rm(dataDir, { recursive: true, force: true })
})

const start = () => TestServer.start({ dataDir, webhookNetworks: [NETWORK] })
const delivered = (server: TestServer, run: string): Promise<Page<Delivery>> =>
  server.until(
    () => server.ok<Page<Delivery>>('GET', `/api/deliveries?run=${run}`),
    ({ items: [one] }) => one?.status === 'delivered',
  )

test('how runs end is told, signed so that the official library takes it, and nothing else of them is', async () => {
  await using sink = await openSink(accept)
  const server = await start()
  try {
    await server.ok('PUT', HOOK, { url: sink.url, secret: 'hook' })
    const good = await server.run('divide', { by: 2 })
    const bad = await server.run('divide', { by: 0 })
    const told = (await sink.arrived(2)).map((message) => verify(secret, message))
    const byRun = new Map(told.map(({ type, data }) => [data['run'], { type, data }]))
    expect(byRun.get(good.id)).toMatchObject({
      type: 'run.succeeded',
      data: { status: 'succeeded', output: { got: 0.5 }, skill_name: 'divide', stage_name: 'dev', version: '1.0.0' },
    })
    expect(byRun.get(bad.id)).toMatchObject({
      type: 'run.failed',
      data: { status: 'failed', reason: 'runtime_error', error: { type: 'ZeroDivisionError' } },
    })
    expect(JSON.stringify(told)).not.toContain('"by"')
    await delivered(server, bad.id)
  } finally {
    await server.stop()
  }
})

test('a server that is killed while it tells has its successor tell it, under the same id', async () => {
  await using sink = await openSink((response, n) => n > 0 && accept(response))
  const child = await serve()
  const headers = { authorization: `Bearer ${child.key}`, 'content-type': 'application/json' }
  const call = async (method: string, path: string, body: object): Promise<{ run_id?: string }> => {
    const answer = await fetch(new URL(path, child.url), { method, headers, body: JSON.stringify(body) })
    expect(answer.ok).toBe(true)
    return (await answer.json()) as { run_id?: string }
  }
  await call('PUT', HOOK, { url: sink.url, secret: 'hook' })
  const { run_id: run } = await call('POST', '/api/skills/divide/stages/dev/invoke', { input: { by: 1 } })
  const [first] = await sink.arrived(1)
  child.process.kill('SIGKILL')
  await once(child.process, 'exit')

  const server = await start()
  try {
    const [, second] = await sink.arrived(2)
    expect(second!.headers['webhook-id']).toBe(first!.headers['webhook-id'])
    expect(verify(secret, second!)).toMatchObject({ type: 'run.succeeded', data: { run } })
    const { items } = await delivered(server, run!)
    expect(items).toMatchObject([{ id: first!.headers['webhook-id'], attempts: [{ status: 204 }] }])
    expect(sink.received).toHaveLength(2)
  } finally {
    await server.stop()
  }
})

test('the server itself is no place to send to, whatever network is open', async () => {
  const server = await start()
  try {
    for (const url of [
      server.url,
      server.url.replace('127.0.0.1', 'localhost'),
      server.url.replace('127.0.0.1', '127.9.9.9'),
    ]) {
      const answer = await server.call<{ code: string }>('PUT', HOOK, { url, secret: 'hook' })
      expect([url, answer.body.code]).toEqual([url, 'webhook_target_refused'])
    }
  } finally {
    await server.stop()
  }
})

async function serve(): Promise<{ process: ChildProcess; url: string; key: string }> {
  const args = [CLI, 'serve', '--port', '0', '--log', 'off', '--data', dataDir, '--webhook-network', NETWORK]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  children.push(child)
  const file = join(dataDir, 'server.json')
  for (;;) {
    if (child.exitCode !== null) throw new Error(`The server ended with ${child.exitCode}.`)
    const info = existsSync(file)
      ? (JSON.parse(readFileSync(file, 'utf8') || '{}') as { pid?: number; url: string })
      : null
    if (info?.pid === child.pid) {
      const ready = await fetch(`${info!.url}/readyz`).catch(() => null)
      if (ready?.ok === true)
        return { process: child, url: info!.url, key: readFileSync(join(dataDir, 'owner.key'), 'utf8').trim() }
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
