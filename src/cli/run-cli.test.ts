import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cli } from '../../tests/support/cli.ts'
import { httpServer } from '../../tests/support/http-server.ts'

const KEY = 'sk_secret_of_this_test'

test.each([
  [['nonsense'], "Error: Unknown command 'nonsense'"],
  [['invoke'], "Error: Missing required argument 'skill'"],
  [['run', 'list', '--limit', '0'], 'whole number from 1 to 200'],
  [['run', 'list', '--status', 'lost'], 'Allowed choices are queued, running'],
  [['invoke', 'x', '--wait', '--detach'], 'exclude each other'],
  [['invoke', 'x', '--input', '{no json'], 'is not JSON'],
  [['invoke', 'x', '--input', '@nowhere.json'], '/nowhere.json cannot be read'],
  [['deploy', '/nowhere'], '/nowhere cannot be read'],
  [['deploy', '--bump', 'minor', '--as', '1.2.3'], '--as and --bump'],
  [['skill', 'delete', 'x'], 'Confirm with --yes'],
  [['init', 'python', 'Not A Name'], 'cannot name a skill'],
])('wrong usage ends with 2: %j', async (args, said) => {
  await using server = await httpServer((_, response) => response.writeHead(200).end('{}'))
  const { code, err, out } = await cli(args, { env: { SKILLET_URL: server.url, SKILLET_KEY: KEY } })
  expect(err).toContain(said)
  expect([code, out]).toEqual([2, ''])
  const machine = await cli([...args, '--json'], { env: { SKILLET_URL: server.url, SKILLET_KEY: KEY } })
  expect([machine.code, JSON.parse(machine.err)]).toMatchObject([2, { error: { exit_code: 2 } }])
})

test.each([
  [400, 1],
  [401, 4],
  [403, 4],
  [404, 5],
  [409, 1],
  [500, 1],
])('an answer with status %i ends with %i, and says what, why and how to mend it', async (status, expected) => {
  await using server = await httpServer((_, response) => {
    response.writeHead(status, { 'content-type': 'application/problem+json' })
    const errors = [{ pointer: '/csv', message: 'is missing' }]
    response.end(
      JSON.stringify({ code: 'some_code', title: 'The title', detail: 'The detail.', fix: 'The remedy.', errors }),
    )
  })
  const env = { SKILLET_URL: server.url, SKILLET_KEY: KEY }
  const human = await cli(['run', 'show', 'run_1'], { env })
  expect(human.code).toBe(expected)
  expect(human.err).toBe('Error: The detail.\n  /csv: is missing\nWhy: The title\nTo mend it: The remedy.\n')
  const machine = await cli(['run', 'show', 'run_1', '--json'], { env })
  expect(machine.out).toBe('')
  expect(JSON.parse(machine.err)).toMatchObject({
    error: { code: 'some_code', fix: 'The remedy.', exit_code: expected },
  })
})

test('a server that was too busy to hear the request is asked once more', async () => {
  let asked = 0
  await using server = await httpServer((_, response) => {
    response.writeHead(++asked === 1 ? 408 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ items: [], next: null }))
  })
  const { code } = await cli(['skill', 'list'], { env: { SKILLET_URL: server.url, SKILLET_KEY: KEY } })
  expect([code, asked]).toEqual([0, 2])
})

test('what a server says controls no terminal', async () => {
  await using server = await httpServer((_, response) => {
    response.writeHead(400, { 'content-type': 'application/problem+json' })
    response.end(JSON.stringify({ title: '\u001b[2J', detail: '\u001b]0;mine\u0007', fix: '\u009b31m' }))
  })
  const { err } = await cli(['run', 'show', 'run_1'], { env: { SKILLET_URL: server.url, SKILLET_KEY: KEY } })
  expect(err).toMatch(/^[\n\x20-\x7e]+$/)
})

test('no server ends with 3, whether none is known or the known one is gone', async () => {
  const unknown = await cli(['skill', 'list'])
  expect(unknown).toMatchObject({ code: 3, err: expect.stringContaining('skillet serve') })
  const server = await httpServer(() => {})
  await server[Symbol.asyncDispose]()
  const gone = await cli(['skill', 'list'], { env: { SKILLET_URL: server.url, SKILLET_KEY: KEY } })
  expect(gone).toMatchObject({ code: 3, err: expect.stringContaining('ECONNREFUSED') })
})

test('the key goes out in a header, and into no error', async () => {
  await using server = await httpServer((_, response) => response.writeHead(502).end('<html>Bad gateway</html>'))
  const { code, err } = await cli(['whoami'], { env: { SKILLET_URL: server.url, SKILLET_KEY: KEY } })
  expect(server.requests[0]).toMatchObject({ url: '/api/whoami', headers: { authorization: `Bearer ${KEY}` } })
  expect(code).toBe(1)
  expect(err).toContain('502')
  expect(err).not.toContain(KEY)
})

test('--json is taken before and after the command', async () => {
  await using server = await httpServer((_, response) => response.writeHead(200).end('{"items":[],"next":null}'))
  const env = { SKILLET_URL: server.url, SKILLET_KEY: KEY }
  for (const args of [
    ['--json', 'skill', 'list'],
    ['skill', '--json', 'list'],
    ['skill', 'list', '--json'],
  ]) {
    expect(JSON.parse((await cli(args, { env })).out)).toEqual({ items: [], next: null })
  }
})

test('help and version end with 0, on stdout', async () => {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  expect(await cli(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' })
  const help = await cli(['deploy', '--help'])
  expect(help).toMatchObject({ code: 0, err: '' })
  expect(help.out).toContain('--change-level')
  expect(help.out).toContain('--key-file')
})

test('init does not write into a folder that holds something', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'skillet-init-test-'))
  try {
    expect((await cli(['init', 'python', 'mine'], { cwd })).code).toBe(0)
    const again = await cli(['init', 'typescript', 'mine'], { cwd })
    expect(again).toMatchObject({ code: 2, err: expect.stringContaining('is not empty') })
  } finally {
    await rm(cwd, { recursive: true, force: true })
  }
})

test('whoami says what is granted', async () => {
  const grant = { id: 'gra_1', stages: ['prod', 'dev'], expires_at: '2999-01-01T00:00:00.000Z' }
  const grants = [
    { ...grant, allowed_skills: ['skl_a', 'skl_b'] },
    { id: 'gra_2', allowed_skills: ['*'], stages: null, expires_at: null },
  ]
  const me = { key: 'oidc:corp:anna', kind: 'token', tenant: 'ten_1', role: 'developer', grants }
  await using server = await httpServer((_, response) =>
    response.setHeader('content-type', 'application/json').end(JSON.stringify(me)),
  )
  const { out } = await cli(['whoami'], { env: { SKILLET_URL: server.url, SKILLET_KEY: KEY } })
  expect(out).toContain('grant   skl_a, skl_b on prod, dev until 2999-01-01T00:00:00.000Z  (gra_1)\n')
  expect(out).toContain('grant   all skills  (gra_2)\n')
})
