import { type RequestListener, createServer } from 'node:http'
import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'
import { openDnsServer } from '../net/fixtures/dns-server.ts'
import { type Listening, listen } from '../net/fixtures/listen.ts'
import { createAddressPolicy } from '../net/policy.ts'
import { type Attempted, type Message, type WebhookSender, createWebhookSender, rejected } from './send.ts'

const SECRET = `whsec_${Buffer.alloc(32, 9).toString('base64')}`
const PAYLOAD = '{"type":"run.succeeded","timestamp":"2026-11-21T08:00:00.000Z","data":{"run":"run_1"}}'
const internet = createAddressPolicy({ own: () => null })
const opened = createAddressPolicy({ networks: ['127.0.0.1'], own: () => null })
const sender = createWebhookSender({ policy: opened, version: '1.2.3', timeoutMs: 20_000, random: () => 0.5 })

function attempt(url: string, message: Partial<Message> = {}, by: WebhookSender = sender): Promise<Attempted> {
  return by.attempt({
    webhook: { url, failing_since: null },
    id: 'dlv_1',
    payload: PAYLOAD,
    secret: SECRET,
    attempt: 1,
    ...message,
  })
}

const http = (listener: RequestListener): Promise<Listening> => listen(createServer(listener))
const urlOf = ({ port }: Listening, path = '/hooks'): string => `http://127.0.0.1:${port}${path}`

test('what arrives is signed, says who sent it, and is verified by the official library', async () => {
  const received: unknown[] = []
  await using server = await http((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
    request.once('end', () => {
      received.push(new Webhook(SECRET).verify(body, request.headers as Record<string, string>))
      const { 'content-type': type, 'user-agent': agent, 'webhook-id': id } = request.headers
      received.push(request.method, request.url, type, agent, id)
      response.writeHead(204).end()
    })
  })
  const before = Date.now()
  const { attempt: made, verdict } = await attempt(urlOf(server))
  const about = ['POST', '/hooks', 'application/json', 'Skillet/1.2.3 (+webhooks)', 'dlv_1']
  expect(received).toEqual([JSON.parse(PAYLOAD), ...about])
  expect(verdict).toEqual({ status: 'delivered' })
  expect(made).toEqual({ at: expect.any(String), ms: expect.any(Number), status: 204, error: null })
  expect(Date.parse(made.at)).toBeGreaterThanOrEqual(before)
})

test('the id stays, the time of the signature is that of the attempt', async () => {
  const seen: unknown[] = []
  await using server = await http((request, response) => {
    seen.push(request.headers['webhook-id'])
    const age = Date.now() / 1000 - Number(request.headers['webhook-timestamp'])
    expect(age).toBeLessThan(60)
    response.writeHead(500).end()
  })
  await attempt(urlOf(server))
  await attempt(urlOf(server), { attempt: 2 })
  expect(seen).toEqual(['dlv_1', 'dlv_1'])
})

test('a failure is told with what the endpoint said, and when it is tried again', async () => {
  await using server = await http((_request, response) => {
    response.writeHead(503, { 'retry-after': '3600' }).end(`down for\u001b[31m maintenance\r\n${'x'.repeat(500)}`)
  })
  const { attempt: made, verdict } = await attempt(urlOf(server))
  expect(made.status).toBe(503)
  expect(made.error).toMatch(/^It answered with the status 503 and the words "down for \[31m maintenance x{174}"\.$/)
  const ended = Date.parse(made.at) + made.ms
  expect(verdict).toEqual({ status: 'pending', retryAt: ended + 3_960_000 })
})

test.each<[status: number, verdict: object, said: RegExp]>([
  [302, { status: 'pending' }, /status 302; redirects are not followed/],
  [404, { status: 'pending' }, /^It answered with the status 404\.$/],
  [410, { status: 'failed', disable: 'gone' }, /^It answered with the status 410\.$/],
])('%i', async (status, verdict, said) => {
  await using server = await http((_request, response) => response.writeHead(status, { location: '/elsewhere' }).end())
  const attempted = await attempt(urlOf(server))
  expect(attempted.verdict).toMatchObject(verdict)
  expect(attempted.attempt.error).toMatch(said)
  expect(server.connections()).toBe(1)
})

test('no answer is a failure without a status', async () => {
  await using server = await http((request) => request.socket.resetAndDestroy())
  const attempted = await attempt(urlOf(server), { attempt: 8 })
  expect(attempted.attempt).toMatchObject({ status: null, error: expect.stringMatching(/^The connection was closed/) })
  expect(attempted.verdict).toEqual({ status: 'failed' })
})

test('nothing is sent that cannot be signed, and the secret is not shown', async () => {
  await using server = await http((_request, response) => response.end())
  const attempted = await attempt(urlOf(server), { secret: 'whsec_hunter2' })
  expect(attempted.verdict).toEqual({ status: 'rejected' })
  expect(attempted.attempt).toMatchObject({
    status: null,
    error: expect.stringMatching(/^Not sent\. The value of the signing secret/),
  })
  expect(JSON.stringify(attempted)).not.toContain('hunter2')
  expect(server.connections()).toBe(0)
})

test('what may not be reached is refused when it is configured and again at each delivery, and nothing is sent', async () => {
  await using server = await http((_request, response) => response.end())
  await using dns = await openDnsServer(() => ['127.0.0.1'])
  const strict = createWebhookSender({ policy: internet, version: '1.2.3', servers: [dns.server] })
  for (const url of [`https://127.0.0.1:${server.port}/`, `https://hooks.example.com:${server.port}/`, urlOf(server)]) {
    await expect(strict.check(url)).rejects.toMatchObject({ code: 'webhook_target_refused' })
    const { attempt: made, verdict } = await attempt(url, {}, strict)
    expect(verdict).toEqual({ status: 'rejected' })
    expect(made).toMatchObject({ status: null, error: expect.stringMatching(/^Not sent\. /) })
  }
  expect(server.connections()).toBe(0)
})

test('a name that was good when it was configured is refused once it leads elsewhere', async () => {
  await using server = await http((_request, response) => response.end())
  await using dns = await openDnsServer((_name, time) => [time <= 2 ? '127.0.0.1' : '127.0.0.2'])
  const by = createWebhookSender({ policy: opened, version: '1.2.3', servers: [dns.server] })
  const url = `http://hooks.example.com:${server.port}/`
  await by.check(url)
  expect((await attempt(url, {}, by)).verdict).toEqual({ status: 'delivered' })
  expect((await attempt(url, {}, by)).verdict).toEqual({ status: 'rejected' })
  await expect(by.check(url)).rejects.toMatchObject({ code: 'webhook_target_refused' })
  expect(server.connections()).toBe(1)
})

test('a name without address cannot be configured, but a delivery waits for it', async () => {
  await using dns = await openDnsServer(() => [])
  const by = createWebhookSender({ policy: internet, version: '1.2.3', servers: [dns.server] })
  await expect(by.check('https://hooks.example.com/')).rejects.toMatchObject({
    code: 'webhook_target_refused',
    message: 'No webhook may be sent to that URL. Its host has no address.',
  })
  expect((await attempt('https://hooks.example.com/', {}, by)).verdict.status).toBe('pending')
})

test('who gives an attempt up hears why, and nothing counts', async () => {
  const giveUp = new AbortController()
  const reason = new Error('the server stops')
  await using server = await http(() => giveUp.abort(reason))
  await expect(attempt(urlOf(server), { signal: giveUp.signal })).rejects.toBe(reason)
})

test('what was rejected before it came here looks like any attempt', () => {
  const at = Date.parse('2026-11-21T08:00:00.000Z')
  expect(rejected('Not sent. Why.', at)).toEqual({
    attempt: { at: '2026-11-21T08:00:00.000Z', ms: 0, status: null, error: 'Not sent. Why.' },
    verdict: { status: 'rejected' },
  })
})
