import { type ChildProcess, spawn } from 'node:child_process'
import { hash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Run } from '../../src/model/runs.ts'
import { type Sink, accept, openSink, verify } from '../../src/webhooks/fixtures/sink.ts'
import { cli } from '../support/cli.ts'
import { Reader } from '../support/reader.ts'

const CLI = new URL('../../src/cli/main.ts', import.meta.url).pathname

/** No other text holds it, and it stands at the beginning of every value, so that it is seen however the rest is encoded. */
const CANARY = `canary${randomBytes(12).toString('hex')}`
const VALUE = `${CANARY}/+&= "ü"`
const PASSWORD = `${CANARY}@:/?#`
const CONNECTION = `https://reader:${encodeURIComponent(PASSWORD)}@example.org/`

/** What webhooks are signed with: its bytes are the canary. */
const SIGNING = `whsec_${Buffer.from(CANARY).toString('base64')}`

/** What must not be seen: as it is (URL-encoding leaves it as it is), in base64 wherever it begins, and in hex. */
const NEEDLES = [CANARY, Buffer.from(CANARY).toString('hex'), ...[0, 1, 2].map(base64At)]

function base64At(offset: number): string {
  const text = Buffer.from(`${'_'.repeat(offset)}${CANARY}`).toString('base64')
  // Characters that also hold bits of what stands beside it.
  return text.slice(offset === 0 ? 0 : 4, -4)
}

const MAIN = `
import base64, hashlib, os, sys, urllib.parse

def handler(input: dict) -> dict:
    value, url = os.environ["TOKEN"], os.environ["CONNECTION"]
    forms = []
    for text in (value, url):
        forms += [text, base64.b64encode(text.encode()).decode(), base64.urlsafe_b64encode(text.encode()).decode(),
                  urllib.parse.quote(text, safe=""), urllib.parse.quote_plus(text)]
    for form in forms:
        print("a line with", form, "in it", flush=True)
        print(form, file=sys.stderr, flush=True)
    if input["end"] == "raise":
        raise ValueError("it failed with " + " and ".join(forms))
    if input["end"] == "exit":
        sys.exit("it ended with " + value)
    return {"sha256": hashlib.sha256(value.encode()).hexdigest(), "url": hashlib.sha256(url.encode()).hexdigest()}
`

let folder: string
let dataDir: string
let server: ChildProcess
let sink: Sink
let reader: Reader
/** Everything that was said, by whoever said it. */
const said: Record<string, string> = { 'the server': '' }
/** Each is queued, runs and ends. */
const RUNS = 6

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-leaks-'))
  dataDir = join(folder, 'data')
  const skill = join(folder, 'talker')
  await cli(['init', 'python', 'talker'], { cwd: folder })
  await writeFile(join(skill, 'main.py'), MAIN)
  sink = await openSink(accept)
  const flags = ['--port', '0', '--data', dataDir, '--json', '--webhook-network', '127.0.0.0/8']
  server = spawn(process.execPath, [CLI, 'serve', ...flags], { stdio: ['ignore', 'pipe', 'pipe'] })
  for (const stream of [server.stdout!, server.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => (said['the server'] += text))
  }
  await once(server.stdout!, 'data')
  const { url } = JSON.parse(await readFile(join(dataDir, 'server.json'), 'utf8')) as { url: string }
  reader = new Reader(url, dataDir, said)
})
afterAll(async () => {
  if (server.exitCode === null && server.kill()) await once(server, 'exit')
  await sink[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

async function skillet(args: readonly string[], stdin: string = ''): Promise<string> {
  const { code, out, err } = await cli(args, { env: { SKILLET_DATA: dataDir }, cwd: folder, stdin })
  said[`skillet ${args.join(' ')}`] = out + err
  if (code > 1) throw new Error(`skillet ${args.join(' ')}: ${code} ${err}`)
  return out
}

function leaksIn(bytes: Buffer | string): boolean {
  return NEEDLES.some((needle) => bytes.includes(needle))
}

async function expectNoLeak(): Promise<void> {
  const leaky = Object.entries(said).flatMap(([who, text]) => (leaksIn(text) ? [who] : []))
  const files = await readdir(dataDir, { recursive: true, withFileTypes: true })
  let read = 0
  for (const file of files) {
    if (!file.isFile()) continue
    const path = join(file.parentPath, file.name)
    read++
    if (leaksIn(await readFile(path))) leaky.push(relative(dataDir, path))
  }
  expect(leaky).toEqual([])
  expect(read).toBeGreaterThan(5)
}

test('nothing that the server writes or answers holds the value of a secret', async () => {
  const call = reader.call.bind(reader)
  const [begin] = await reader.stream('/api/events')
  // Values that are refused, in every way.
  await call('POST', '/api/secrets', `{"name":"token","value":"${CANARY}`)
  await call('POST', '/api/secrets', CANARY)
  await call('POST', '/api/secrets', JSON.stringify({ name: 'a b', value: VALUE }))
  await call('POST', '/api/secrets', JSON.stringify({ name: 'token', value: [VALUE] }))
  await call('POST', '/api/secrets', JSON.stringify({ name: 'token', kind: 'connection', value: VALUE }))
  await call('POST', '/api/secrets', JSON.stringify({ name: 'token', value: `${VALUE}\0` }))
  await call('POST', '/api/secrets', JSON.stringify({ name: 'token', value: VALUE.repeat(5000) }))
  await call('POST', '/api/secrets', JSON.stringify({ name: 'token', value: VALUE }), { 'content-type': 'text/plain' })
  await call('POST', '/api/secrets', VALUE.repeat(300_000))
  await call('POST', '/api/nothing', JSON.stringify({ name: 'token', value: VALUE }))
  await call('PUT', '/api/secrets/none', JSON.stringify({ value: VALUE }))

  await skillet(['secret', 'create', 'token', '--value-stdin'], 'replaced soon')
  await skillet(['secret', 'update', 'token', '--value-stdin'], VALUE)
  await skillet(['secret', 'create', 'connection', '--kind', 'connection', '--value-stdin'], CONNECTION)
  await skillet(['secret', 'create', 'token', '--value-stdin'], VALUE)
  await skillet(['validate', 'talker', '--stage', 'prod'])
  await skillet(['stage', 'config', 'talker', 'prod', '--secret', 'TOKEN=token', '--secret', 'CONNECTION=connection'])
  await skillet(['secret', 'create', 'signing', '--value-stdin'], SIGNING)
  await skillet(['webhook', 'set', 'talker', 'prod', sink.url, '--secret', 'signing'])
  const schedule = JSON.stringify({ cron: '0 0 1 1 *', zone: 'UTC', input: { end: 'return' } })
  await call('PUT', '/api/skills/talker/stages/prod/schedule', schedule)
  await skillet(['deploy', 'talker', '--stage', 'prod', '--yes'])
  await skillet(['secret', 'delete', 'token', '--yes'])

  let run: Run | undefined
  for (const end of ['return', 'raise', 'exit']) {
    const input = JSON.stringify({ end })
    const out = await skillet(['invoke', 'talker', '--stage', 'prod', '--input', input, '--wait', '--json'])
    run = JSON.parse(out) as Run
    await skillet(['invoke', 'talker', '--stage', 'prod', '--input', input, '--follow'])
    await skillet(['run', 'logs', run.id])
    // The skill did get them.
    const got = { sha256: hash('sha256', VALUE), url: hash('sha256', CONNECTION) }
    if (end === 'return') expect(run.output).toEqual(got)
    else expect(run.status).toBe('failed')
    for (const path of ['', '/logs', '/events']) await call('GET', `/api/runs/${run.id}${path}`)
    await call('GET', `/api/runs/${run.id}/logs`, undefined, { accept: 'text/plain' })
  }
  const delivered = await sink.arrived(RUNS)
  for (const [i, message] of delivered.entries()) {
    verify(SIGNING, message)
    said[`webhook ${i}`] = JSON.stringify(message)
  }
  const delivery = String(delivered.at(-1)!.headers['webhook-id'])
  await skillet(['delivery', 'show', delivery])
  await call('POST', '/api/vault/rotate')

  const secret = JSON.parse(await call('GET', '/api/secrets/token')) as {
    id: string
    tenant: string
    created_by: string
  }
  const stage = JSON.parse(await call('GET', '/api/skills/talker/stages/prod')) as { deployment: string }
  const principal = secret.created_by
  const grant = JSON.parse(
    await call('POST', '/api/grants', JSON.stringify({ principal: 'oidc:corp:anna', allowed_skills: ['*'] })),
  ) as { id: string }
  const link = JSON.parse(await call('POST', '/api/links', '{"name":"shown"}')) as { id: string }
  const { items } = JSON.parse(await call('GET', `/api/audit?limit=200`)) as {
    items: { target_kind: string; target: string }[]
  }
  const upload = items.find(({ target_kind }) => target_kind === 'upload')!.target
  const { answers, events } = await reader.everything(begin!, {
    skill: 'talker',
    stage: 'prod',
    deployment: stage.deployment,
    version: '1.0.0',
    run: run!.id,
    secret: secret.id,
    key: principal,
    grant: grant.id,
    tenant: secret.tenant,
    link: link.id,
    file: 'main.py',
    upload,
    delivery,
  })
  expect(answers).toBeGreaterThan(20)
  // Of the tenant, and of its one stage.
  expect(events).toHaveLength(2)
  expect(Math.min(...events)).toBeGreaterThanOrEqual(RUNS * 3)

  await expectNoLeak()
  server.kill('SIGTERM')
  await once(server, 'exit')
  await expectNoLeak()
})
