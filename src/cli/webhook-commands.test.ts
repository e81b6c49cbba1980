import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CliResult, cli } from '../../tests/support/cli.ts'
import { newNote, newRun } from '../backends/contract/engine-fixtures.ts'
import { packageOf } from '../http/fixtures/packages.ts'
import { finish, take } from '../http/fixtures/played-worker.ts'
import { type TestServer, startTestServer } from '../http/fixtures/test-server.ts'
import type { Secret } from '../model/secrets.ts'
import type { Deployment } from '../model/skills.ts'
import type { Delivery, Webhook } from '../model/webhooks.ts'
import { accept, openSink, verify } from '../webhooks/fixtures/sink.ts'

let server: TestServer
let deployment: Deployment
let cwd: string
beforeAll(async () => {
  server = await startTestServer({ webhookNetworks: ['127.0.0.0/8'] })
  cwd = await mkdtemp(join(tmpdir(), 'skillet-webhook-commands-'))
  await writeFile(join(server.dataDir, 'server.json'), JSON.stringify({ url: server.url, pid: process.pid }))
  deployment = await server.deploy('notes', 'prod', packageOf('one'))
})
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
  await rm(cwd, { recursive: true, force: true })
})

const skillet = (...args: string[]): Promise<CliResult> => cli(args, { env: { SKILLET_DATA: server.dataDir }, cwd })
const json = async <T>(...args: string[]): Promise<T> => {
  const { code, out, err } = await skillet(...args, '--json')
  expect([code, err]).toEqual([0, ''])
  return JSON.parse(out) as T
}
const set = (...args: string[]) => skillet('webhook', 'set', 'notes', 'prod', ...args)

test('a webhook is made with a secret of its own, changed piece by piece, disabled and deleted', async () => {
  expect(await set()).toMatchObject({ code: 2, err: expect.stringContaining('the URL of its endpoint') })
  expect(await set('https://192.0.43.8/')).toMatchObject({ code: 2, err: expect.stringContaining('--secret') })
  expect((await skillet('webhook', 'set', 'notes', 'none', 'https://192.0.43.8/')).code).toBe(5)
  expect((await skillet('webhook', 'show', 'notes', 'prod')).code).toBe(5)

  const refused = await set('https://10.0.0.1/', '--generate-secret', 'hook')
  expect(refused).toMatchObject({ code: 1, out: '', err: expect.stringContaining('No webhook may be sent') })
  expect((await json<{ items: Secret[] }>('secret', 'list')).items).toEqual([])

  const made = await set('https://192.0.43.8/?a=1', '--generate-secret', 'hook')
  expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=\n$/) })
  expect(made.err).toContain('https://192.0.43.8/?a=1')
  const first = await json<Webhook>('webhook', 'show', 'notes', 'prod')
  expect(JSON.stringify(first)).not.toContain('whsec_')
  const { id } = await json<Secret>('secret', 'show', 'hook')
  expect(first).toMatchObject({ url: 'https://192.0.43.8/?a=1', secret: id, enabled: true, revision: 1 })
  expect((await set('--generate-secret', 'hook')).code).toBe(1)

  const changed = await json<Webhook>('webhook', 'set', 'notes', 'prod', '--event', 'run.failed', 'schedule.missed')
  expect(changed).toMatchObject({
    ...first,
    events: ['run.failed', 'schedule.missed'],
    revision: 2,
    updated_at: expect.anything(),
  })
  expect((await json<Webhook>('webhook', 'set', 'notes', 'prod', '--disable')).enabled).toBe(false)
  expect((await set('https://192.0.43.9/')).out).toMatch(/^url +https:\/\/192\.0\.43\.9\/\n[^]*^state +disabled$/m)
  expect((await set('--enable')).out).toMatch(/^state +enabled$/m)
  expect((await set('--event', 'run.began')).code).toBe(2)
  expect(await skillet('webhook', 'delete', 'notes', 'prod')).toMatchObject({ code: 0 })
  expect((await skillet('webhook', 'delete', 'notes', 'prod')).code).toBe(5)
})

test('what was sent is listed and shown, and sent again', async () => {
  await using sink = await openSink(accept)
  const { secret_value: secret } = await json<{ secret_value: string }>(
    'webhook',
    'set',
    'notes',
    'prod',
    sink.url,
    '--generate-secret',
    'sink',
  )
  const place = {
    tenant: deployment.tenant,
    skill: { id: deployment.skill },
    stage: { id: deployment.stage },
    deployment,
  }
  const run = newRun(place as Parameters<typeof newRun>[0], { input: { a: 1 } })
  await server.engine.runs.admit(run, 'default', newNote(run.tenant, 'run.invoke', run.id))
  await finish(server.engine, await take(server.engine, run.id))
  const [message] = await sink.arrived(1)
  expect(verify(secret, message!).type).toBe('run.succeeded')

  const filter = ['--skill', 'notes', '--stage', 'prod', '--run', run.id]
  let one: Delivery
  do [one] = (await json<{ items: [Delivery] }>('delivery', 'list', ...filter)).items
  while (one.status !== 'delivered')
  expect(one.id).toBe(message!.headers['webhook-id'])
  expect((await skillet('delivery', 'list', '--status', 'delivered')).out).toMatch(
    new RegExp(`^${one.id} +run\\.succeeded +delivered +${run.id} +1 +204 `, 'm'),
  )
  const shown = await skillet('delivery', 'show', one.id)
  expect(shown.out).toMatch(/^attempt +\S+ +204 /m)
  expect(shown.out).toContain(`"run": "${run.id}"`)
  expect((await skillet('delivery', 'redeliver', one.id)).out).toContain('is sent again')
  const [, second] = await sink.arrived(2)
  expect(second!.headers['webhook-id']).toBe(one.id)
  expect((await skillet('delivery', 'show', 'msg_none')).code).toBe(5)
})
