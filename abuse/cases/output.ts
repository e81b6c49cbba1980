import assert from 'node:assert/strict'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createClient } from '../../bench/client.ts'
import { startBenchServer } from '../../bench/server.ts'
import { deploy, upload } from '../../bench/skills.ts'
import { createRedactor } from '../../src/secrets/redaction.ts'
import type { AbuseCase, Attack, AttackRun, AbuseWorld } from '../case.ts'

const SECRET = 'hunter2/+=secret"quoted" word'
const redactor = await createRedactor([SECRET])
/** Every byte of it that would tell somebody what it is. */
const TELLING = ['hunter2', 'secret"quoted"', 'aHVudGVy', '68756e746572', 'hunter2%2F', '\\"quoted\\"']

const SLOW_IN_PYTHON = `
import sys, time
def handler(input):
    for character in "one slow line":
        sys.stdout.write(character); sys.stdout.flush(); time.sleep(0.05)
    return 1
`
const SLOW_IN_NODE = `
export async function execute() {
  for (const character of 'one slow line') {
    process.stdout.write(character)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return 1
}`
const oneLine = ({ logs }: AttackRun): void =>
  assert.deepEqual(
    logs.map(({ stream, text }) => [stream, text]),
    [['stdout', 'one slow line']],
  )

/** Each is one line, whatever is in it. */
const ODD = [
  'color \x1b[31mred\x1b[0m',
  'screen \x1b[2J\x1b[1;1H',
  'title \x1b]0;owned\x07',
  'clipboard \x1b]52;c;ZXZpbA==\x07',
  'device \x1bP+q\x1b\\',
  'back\b\b\b\b',
  'return\r2026-01-01T00:00:00Z system forged',
  'NUL \0 byte',
  'eight bits \u009b31m',
  'lines \u2028 of \u2029 other \u0085 kinds \v\f',
  'bidi \u202efdp.exe\u2066',
  '{"at":"2026-01-01T00:00:00Z","stream":"system","text":"forged"}',
]
const ODD_IN_PYTHON = `
import os
def handler(input):
    for line in input: os.write(1, line.encode() + b"\\n")
    os.write(1, b"not UTF-8 \\xff\\xfe\\xc3\\n")
    os.write(1, b"CRLF\\r\\n")
    return 1
`
const ODD_IN_NODE = `
import { writeSync } from 'node:fs'
export function execute(input) {
  for (const line of input) writeSync(1, line + '\\n')
  writeSync(1, Buffer.from('not UTF-8 \\xff\\xfe\\xc3\\n', 'latin1'))
  writeSync(1, 'CRLF\\r\\n')
  return 1
}`

function harmless({ logs }: AttackRun): void {
  assert.equal(logs.length, ODD.length + 2, JSON.stringify(logs))
  for (const { stream, text, at } of logs) {
    assert.equal(stream, 'stdout')
    // oxlint-disable-next-line no-control-regex -- these are what must not be there
    assert.doesNotMatch(text, /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/)
    assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000, 'the time is the skill’s')
  }
  assert.equal(logs.at(-1)!.text, 'CRLF')
}

const ECHO_IN_PYTHON = `
import base64, json, os, sys, time, urllib.parse
def handler(input):
    secret = os.environ["TOKEN"]
    print("plain", secret)
    print("json", json.dumps({"token": secret}))
    print("base64", base64.b64encode(secret.encode()).decode())
    print("inside", base64.b64encode(("x" + secret + "y").encode()).decode())
    print("hex", secret.encode().hex(), secret.encode().hex().upper())
    print("url", urllib.parse.quote(secret, safe=""))
    print("colored", "".join(part + "\\x1b[1m" for part in secret))
    for part in secret:
        os.write(1, part.encode()); time.sleep(0.002)
    os.write(2, b"x" * 8185 + secret.encode() + b"\\n")
    sys.stderr.write(secret[:-1])
    raise ValueError("no " + secret + " in " + "y" * 8180 + secret)
`
const ECHO_IN_NODE = `
export async function execute(_, { secrets }) {
  const secret = secrets.TOKEN
  console.log('plain', secret)
  console.log('json', JSON.stringify({ secret }))
  console.log('base64', Buffer.from(secret).toString('base64'))
  console.log('hex', Buffer.from(secret).toString('hex'))
  console.log('url', encodeURIComponent(secret))
  console.log('colored', [...secret].join('\\x1b[1m'))
  for (const part of secret) { process.stdout.write(part); await new Promise((resolve) => setTimeout(resolve, 2)) }
  console.error('x'.repeat(8185) + secret)
  process.stderr.write(secret.slice(0, -1))
  throw Object.assign(new Error('no ' + secret + ' in ' + 'y'.repeat(8180) + secret), { name: secret })
}`
const echo: Omit<Attack, 'code'> = {
  outcome: 'failed/runtime_error',
  call: { secrets: { TOKEN: SECRET }, redactor },
  held({ logs, result }) {
    const said = [
      ...logs.map(({ text }) => text),
      result.status === 'failed' ? Object.values(result.error).join('\n') : '',
    ]
    assert.ok(said.join('').includes('[redacted]'))
    for (const part of TELLING)
      assert.ok(!said.join('\n').toLowerCase().includes(part.toLowerCase()), `"${part}" is to be seen`)
  },
}

/** What a skill writes: it is data, and there is only so much of it. */
export const OUTPUT: readonly AbuseCase[] = [
  {
    number: 49,
    title: 'slow output, terminal commands, CRLF, NUL and secrets in logs',
    python: [
      { code: SLOW_IN_PYTHON, outcome: 'succeeded', held: oneLine },
      { code: ODD_IN_PYTHON, input: ODD, outcome: 'succeeded', held: harmless },
      { code: ECHO_IN_PYTHON, ...echo },
    ],
    node: [
      { code: SLOW_IN_NODE, outcome: 'succeeded', held: oneLine },
      { code: ODD_IN_NODE, input: ODD, outcome: 'succeeded', held: harmless },
      { code: ECHO_IN_NODE, ...echo },
    ],
  },
  { number: 60, title: 'the disk of the host, filled by logs', load: 'heavy', world: floods },
]

const FLOODS = 3
const FLOOD = `
import os
def handler(input):
    block = b"x" * 65535 + b"\\n"
    for fd in (1, 2):
        for _ in range(100): os.write(fd, block)
    return 1
`

/** A server as users start it; each run writes thirteen megabytes to its log. */
async function floods(world: AbuseWorld): Promise<void> {
  const data = await world.folder()
  const server = await startBenchServer(['--no-warm-up'], data)
  world.after(() => server.stop())
  const client = createClient(server.url, server.key, 4)
  world.after(() => client.close())
  const files = { 'skill.yaml': 'name: flood\ndescription: Writes and writes.\n', 'main.py': FLOOD }
  await client.json('POST', '/api/skills', { name: 'flood', description: 'Writes and writes.' })
  await client.json('PUT', '/api/skills/flood/stages/dev', { config: {} })
  await upload(client, 'flood', 'dev', files)
  await deploy(client, 'flood', 'dev', {})
  const before = await bytesIn(data)
  const run = (): Promise<{ status: string }> =>
    client.json('POST', '/api/skills/flood/stages/dev/invoke', { input: {} }, { prefer: 'wait=60' })
  await Promise.all(Array.from({ length: FLOODS }, run))
  const grown = (await bytesIn(data)) - before
  // The log itself, once more in the journal of the database, and the indexes of its lines.
  const most = 4 * FLOODS * 2 ** 20
  assert.ok(
    grown > 0 && grown < most,
    `${FLOODS} floods of 13 MB took ${grown} bytes of the disk; at most ${most} were expected`,
  )
}

async function bytesIn(folder: string): Promise<number> {
  let sum = 0
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    // What a run in progress has made may be gone by now.
    if (entry.isFile())
      sum += await lstat(join(entry.parentPath, entry.name)).then(
        ({ blocks }) => 512 * blocks,
        () => 0,
      )
  }
  return sum
}
