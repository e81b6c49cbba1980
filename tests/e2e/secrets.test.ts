import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Page } from '../../src/model/page.ts'
import type { AuditEvent } from '../../src/model/audit.ts'
import type { LogLine, Run } from '../../src/model/runs.ts'
import type { Secret } from '../../src/model/secrets.ts'
import { type Files, type Problem, TestServer, python, typescript } from './harness.ts'

const CANARY = 'Canary/of+the "Mine" ~ 4711ö'
const URL_OF_DATABASE = 'postgres://ann:p%40ss-w0rd@db.example.com:5433/books?sslmode=require'

const PY = `
import base64, json, os, sys, urllib.parse

def handler(input: dict, context) -> dict:
    token = os.environ.get("TOKEN", "")
    if input.get("say"):
        raw = token.encode()
        print(token)
        print("b64", base64.b64encode(raw).decode(), "in", base64.b64encode(b"user:" + raw + b"!").decode())
        print("url", urllib.parse.quote(token), urllib.parse.quote_plus(token, safe=""))
        print("json", json.dumps({"token": token}), "hex", raw.hex(), file=sys.stderr)
        print("x" * 8180 + token + "y" * 100)
        sys.stdout.write(token[:7]); sys.stdout.flush()
        sys.stdout.write(token[7:] + "\\n")
        print("coloured " + token[:5] + "\\x1b[31m" + token[5:])
    if input.get("name"):
        return {token: 1, "length": "".join("%%%02x" % byte for byte in token.encode())}
    if input.get("die"):
        sys.stdout.write("half of it: " + token[:-3]); sys.stdout.flush()
        os.kill(os.getpid(), 9)
    if input.get("fail"):
        raise ValueError("bad token: " + token)
    db = context.connections.get("DATABASE")
    return {
        "fits": token == context.secrets.get("TOKEN"),
        "length": len(token),
        "env": sorted(name for name in os.environ if name in ("TOKEN", "DATABASE", "PLAIN")),
        "db": None if db is None else [db.protocol, db.host, db.port, db.username, db["password"], db.path, db.params["sslmode"]],
        "pid": os.getppid(),
    }
`
const TS = `import type { SkillContext } from 'skillet/types'

export async function execute(input: { say?: boolean; fail?: boolean }, context: SkillContext) {
  const token = process.env['TOKEN'] ?? ''
  if (input.say) {
    const raw = Buffer.from(token)
    console.log(token)
    console.log('b64', raw.toString('base64'), raw.toString('base64url'))
    console.error('url', encodeURIComponent(token), new URLSearchParams({ t: token }).toString())
    context.log('json', JSON.stringify({ token }), 'hex', raw.toString('hex'))
    console.log('x'.repeat(8180) + token + 'y'.repeat(100))
  }
  if (input.fail) throw new Error('bad token: ' + token)
  const db = context.connections['DATABASE']
  return {
    fits: token === context.secrets['TOKEN'],
    length: token.length,
    env: Object.keys(process.env).filter((name) => ['TOKEN', 'DATABASE', 'PLAIN'].includes(name)).sort(),
    db: db === undefined ? null : [db.protocol, db.host, db.port, db.username, db.password, db.path, db.params['sslmode']],
    pid: process.pid,
  }
}
`
const CONFIG = { env: { PLAIN: 'yes' }, secret_refs: { TOKEN: 'api-token', DATABASE: 'database' } }

let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
  await server.ok('POST', '/api/secrets', { name: 'api-token', value: CANARY })
  await server.ok('POST', '/api/secrets', { name: 'database', kind: 'connection', value: URL_OF_DATABASE })
})
afterAll(() => server.stop())

const SKILLS: [name: string, files: Files][] = [
  ['pyskill', python('pyskill', PY)],
  ['tsskill', typescript('tsskill', TS)],
]
type Output = { fits: boolean; length: number; env: string[]; db: unknown[]; pid: number }
const output = (run: Run): Output => run.output as Output

async function linesOf(run: Run): Promise<string[]> {
  const page = await server.ok<Page<LogLine>>('GET', `/api/runs/${run.id}/logs?limit=1000`)
  return page.items.map(({ text }) => text)
}

/** Pieces of the value that would tell something, as they are and in base64. */
function traces(text: string): string[] {
  const pieces = Array.from({ length: CANARY.length - 7 }, (_, i) => CANARY.slice(i, i + 8))
  const encoded = Buffer.from(CANARY).toString('base64')
  for (let i = 0; i + 8 <= encoded.length; i++) pieces.push(encoded.slice(i, i + 8))
  pieces.push(encodeURIComponent(CANARY).slice(4, 24), Buffer.from(CANARY).toString('hex').slice(8, 24), 'p@ss-w0rd')
  return pieces.filter((piece) => text.includes(piece))
}

describe.each(SKILLS)('%s', (name, files) => {
  beforeAll(() => server.deploy(name, files, CONFIG))

  test('gets its secrets as environment and in its context, connections in their parts, and nothing else', async () => {
    const run = await server.run(name, {})
    expect(run).toMatchObject({ status: 'succeeded' })
    expect(output(run)).toMatchObject({
      fits: true,
      length: CANARY.length,
      env: ['DATABASE', 'PLAIN', 'TOKEN'],
      db: ['postgres', 'db.example.com', 5433, 'ann', 'p@ss-w0rd', 'books', 'require'],
    })
  })

  test('shows nobody a secret in its log, in whatever form, nor in the text of an error', async () => {
    const said = await server.run(name, { say: true })
    expect(said.status).toBe('succeeded')
    const lines = await linesOf(said)
    expect(lines[0]).toBe('[redacted]')
    expect(lines.filter((line) => line.includes('[redacted]')).length).toBeGreaterThanOrEqual(5)
    expect(traces(lines.join('\n'))).toEqual([])
    // The result is the skill's own word, and it chose to tell the password.
    const events = (await server.events(said.id)).filter(({ type }) => type === 'log')
    expect(events).not.toEqual([])
    expect(traces(JSON.stringify(events))).toEqual([])
    const failed = await server.run(name, { fail: true })
    expect(failed).toMatchObject({ status: 'failed', reason: 'runtime_error' })
    expect(failed.error!.message).toBe('bad token: [redacted]')
    expect(traces(JSON.stringify(failed))).toEqual([])
  })

  test('sees a new value from a new session on; the old one serves no more', async () => {
    const first = await server.run(name, {})
    const again = await server.run(name, {})
    expect([again.session, again.warm]).toEqual([first.session, true])
    await server.ok('PUT', '/api/secrets/api-token', { value: 'another value' })
    const next = await server.run(name, {})
    expect(output(next).length).toBe('another value'.length)
    expect(next.session).not.toBe(first.session)
    expect(next.warm).toBe(false)
    await server.ok('PUT', '/api/secrets/api-token', { value: CANARY })
    const back = await server.run(name, {})
    expect([first.session, next.session]).not.toContain(back.session)
  })

  test('that a run had secrets is in the audit log: their names, not their values', async () => {
    const run = await server.run(name, {})
    const { items } = await server.ok<Page<AuditEvent>>('GET', `/api/audit?action=secret.use&target=${run.id}`)
    expect(items).toHaveLength(1)
    const secret = await server.ok<Secret>('GET', '/api/secrets/api-token')
    expect(items[0]).toMatchObject({ actor: run.created_by, detail: { secrets: { TOKEN: secret.id } } })
    expect(traces(JSON.stringify(items))).toEqual([])
  })
})

test('nor in what is said of a result that does not fit, nor half of it where the skill is killed', async () => {
  const strict = {
    output: { type: 'object', additionalProperties: false, properties: { length: { type: 'integer' } } },
  }
  await server.deploy('strict', python('strict', PY, strict), CONFIG)
  const unfit = await server.run('strict', { name: true })
  expect(unfit).toMatchObject({ status: 'failed', reason: 'output_invalid' })
  expect(unfit.error!.message).toContain('/[redacted]: is not allowed')
  expect(unfit.error!.message).toContain('"[redacted]…"')
  expect(traces(JSON.stringify(unfit))).toEqual([])
  const killed = await server.run('strict', { die: true })
  expect(killed).toMatchObject({ status: 'failed', reason: 'runtime_error' })
  expect(await linesOf(killed)).toEqual(['half of it: [redacted]'])
})

test('a run whose secret is gone fails and says which; nothing was executed', async () => {
  const secret = await server.ok<Secret>('POST', '/api/secrets', { name: 'short-lived', value: 'for a while' })
  await server.deploy('loser', python('loser', PY), { secret_refs: { TOKEN: 'short-lived' } })
  // A stage that still refers to it keeps it; a run that was queued with the old deployment meets its end.
  const refused = await server.call<Problem>('DELETE', '/api/secrets/short-lived')
  expect([refused.status, refused.body.code]).toEqual([409, 'secret_in_use'])
  const before = await server.run('loser', {})
  expect(before.status).toBe('succeeded')
  await server.ok('PUT', '/api/skills/loser/stages/dev', { config: {} })
  await server.deploy('loser', python('loser', PY), {})
  await server.ok('DELETE', '/api/secrets/short-lived')
  const replayed = await server.ok<Run>('POST', `/api/runs/${before.id}/replay`, undefined, { prefer: 'wait=60' })
  expect(replayed).toMatchObject({
    status: 'failed',
    reason: 'secret_unavailable',
    error: { message: expect.stringContaining(`TOKEN (${secret.id})`) },
    session: null,
    billable_ms: null,
  })
})
