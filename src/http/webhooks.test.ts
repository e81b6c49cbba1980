import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { accept, newSigningSecret, openSink, status, verify } from '../webhooks/fixtures/sink.ts'
import type { AuditEvent } from '../model/audit.ts'
import type { Secret } from '../model/secrets.ts'
import type { Deployment } from '../model/skills.ts'
import type { Delivery, Webhook, WebhookPayload } from '../model/webhooks.ts'
import { newNote, newRun } from '../backends/contract/engine-fixtures.ts'
import { packageOf } from './fixtures/packages.ts'
import { finish, take } from './fixtures/played-worker.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'

let server: TestServer
let deployment: Deployment
const secret = newSigningSecret()
let hmac: Secret
beforeAll(async () => {
  server = await startTestServer({ webhookNetworks: ['127.0.0.0/8'] })
  deployment = await server.deploy('notes', 'prod', packageOf('one'))
  hmac = (await server.call<Secret>('POST', '/api/secrets', { name: 'hook', value: secret })).body
})
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})

const HOOK = '/api/skills/notes/stages/prod/webhook'
/** Of an address, which nobody has to look up; nothing of these tests is sent there. */
const PUBLIC = 'https://192.0.43.8/hooks/T0/B1?key=2'
const put = (body: object) => server.call<Webhook & { code: string; detail: string }>('PUT', HOOK, body)
const list = async (query = ''): Promise<Delivery[]> =>
  (await server.call<{ items: Delivery[] }>('GET', `/api/deliveries${query}`)).body.items

/** A run of the stage ends. @returns Its id. */
async function succeed(): Promise<string> {
  const { engine } = server
  const { tenant, skill, stage } = deployment
  const place = { tenant, skill: { id: skill }, stage: { id: stage }, deployment } as Parameters<typeof newRun>[0]
  const run = newRun(place, { input: { a: 1 } })
  await engine.runs.admit(run, 'default', newNote(tenant, 'run.invoke', run.id))
  await finish(engine, await take(engine, run.id))
  return run.id
}

/** Polls; the test's own time is the only limit. */
async function until(query: string, wished: (all: Delivery[]) => boolean): Promise<Delivery[]> {
  for (;;) {
    const all = await list(query)
    if (wished(all)) return all
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

test('a webhook is put, shown and deleted; how runs end is what it is told of', async () => {
  expect((await server.call('GET', HOOK)).status).toBe(404)
  const made = await put({ url: PUBLIC, secret: 'hook', revision: 0 })
  expect([made.status, made.body]).toEqual([
    200,
    expect.objectContaining({
      url: PUBLIC,
      secret: hmac.id,
      events: ['run.succeeded', 'run.failed', 'run.cancelled', 'run.throttled'],
      enabled: true,
      revision: 1,
      failing_since: null,
      disabled_reason: null,
    }),
  ])
  expect((await server.call('GET', HOOK)).body).toEqual(made.body)
  const stale = await put({ url: PUBLIC, secret: 'hook', revision: 0 })
  expect([stale.status, stale.body]).toMatchObject([409, { code: 'webhook_changed', revision: 1 }])
  expect((await server.call('DELETE', HOOK)).status).toBe(204)
  expect((await server.call('DELETE', HOOK)).status).toBe(404)
})

test('the secret is named by id, name or path, and must be of the tenant and able to sign', async () => {
  for (const reference of [hmac.id, hmac.name, hmac.path, `arn:aws:secretsmanager:eu-west-1:1:secret:${hmac.path}`]) {
    expect((await put({ url: PUBLIC, secret: reference })).body.secret).toBe(hmac.id)
  }
  const stranger = { key: await server.strangerKey() }
  const { body: theirs } = await server.call<Secret>(
    'POST',
    '/api/secrets',
    { name: 'theirs', value: secret },
    stranger,
  )
  const foreign = [theirs.id, theirs.name, theirs.path, hmac.path.replace(hmac.tenant, theirs.tenant), `x/${hmac.path}`]
  for (const reference of [...foreign, hmac.path.replace('/test/', '/prod/')]) {
    expect([reference, (await put({ url: PUBLIC, secret: reference })).body]).toMatchObject([
      reference,
      { code: 'secret_unknown' },
    ])
  }
  const weak = `whsec_${randomBytes(23).toString('base64')}`
  await server.call('POST', '/api/secrets', { name: 'weak', value: weak })
  const refused = await put({ url: PUBLIC, secret: 'weak' })
  expect([refused.status, refused.body.code]).toEqual([400, 'webhook_secret_invalid'])
  expect(JSON.stringify(refused.body)).not.toContain(weak.slice(6, 20))
  expect((await server.call('DELETE', '/api/secrets/hook')).body).toMatchObject({
    code: 'secret_in_use',
    stages: ['notes/prod'],
  })
})

test('where nobody may send to is refused when it is configured', async () => {
  const refused = [
    'http://192.0.43.8/',
    'https://10.0.0.1/',
    'http://169.254.169.254/',
    'https://[::1]/',
    'ftp://x.org/',
    server.url,
  ]
  for (const url of refused) {
    expect([url, (await put({ url, secret: 'hook' })).body.code]).toEqual([url, 'webhook_target_refused'])
  }
})

test('who is no owner sees only the origin of the URL, and nobody else anything; the log has the host alone', async () => {
  await put({ url: PUBLIC, secret: 'hook' })
  const { body: viewer } = await server.call<{ key: string }>('POST', '/api/keys', { role: 'viewer', name: 'v' })
  const seen = await server.call<Webhook>('GET', HOOK, undefined, { key: viewer.key })
  expect([seen.status, seen.body.url]).toEqual([200, 'https://192.0.43.8'])
  const other = await server.call('GET', HOOK, undefined, { key: await server.strangerKey() })
  expect(other.status).toBe(404)
  const { body } = await server.call<{ items: AuditEvent[] }>('GET', '/api/audit?action=webhook.put&limit=200')
  expect(body.items[0]!.detail).toMatchObject({ host: '192.0.43.8', secret: hmac.id })
  expect(JSON.stringify(body)).not.toContain('key=2')
})

test('the end of a run arrives, is listed with its attempts, and can be sent again under its id', async () => {
  await using sink = await openSink((response, n) => (n === 1 ? status(404)(response) : accept(response)))
  await put({ url: sink.url, secret: 'hook' })
  const run = await succeed()
  const [message] = await sink.arrived(1)
  const payload = verify(secret, message!)
  expect(payload).toMatchObject({
    type: 'run.succeeded',
    data: {
      run,
      skill: deployment.skill,
      skill_name: 'notes',
      stage: deployment.stage,
      stage_name: 'prod',
      status: 'succeeded',
      version: deployment.version,
    },
  })
  const query = `?run=${run}`
  const [delivery] = await until(query, ([one]) => one?.status === 'delivered')
  expect(message!.headers['webhook-id']).toBe(delivery!.id)
  expect(await list('?skill=notes&stage=prod&status=delivered')).toContainEqual(delivery)
  expect(await list('?status=failed')).toEqual([])
  const path = `/api/deliveries/${delivery!.id}`
  const one = await server.call<Delivery & { payload: WebhookPayload }>('GET', path)
  expect(one.body).toEqual({ ...delivery, payload })

  const again = await server.call<Delivery>('POST', `${path}/redeliver`)
  expect([again.status, again.body]).toMatchObject([202, { id: delivery!.id, status: 'pending' }])
  const [, second] = await sink.arrived(2)
  expect([second!.headers['webhook-id'], verify(secret, second!)]).toEqual([delivery!.id, payload])
  const [failed] = await until(query, ([seen]) => seen!.attempts.length === 2)
  expect(failed).toMatchObject({ status: 'pending', attempts: [{ status: 204 }, { status: 404 }] })
  const pending = await server.call('POST', `${path}/redeliver`)
  expect([pending.status, pending.body]).toMatchObject([409, { code: 'not_redeliverable' }])
  await put({ url: sink.url, secret: 'hook', enabled: false })
  expect(await list(query)).toMatchObject([{ status: 'cancelled', reason: 'disabled' }])
  const stranger = { key: await server.strangerKey() }
  expect((await server.call('GET', path, undefined, stranger)).status).toBe(404)
  expect((await server.call('POST', `${path}/redeliver`, undefined, stranger)).status).toBe(404)
})
