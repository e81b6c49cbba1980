import { afterAll, beforeAll, expect, test } from 'vitest'
import { newSessionId } from '../../model/ids.ts'
import { type TestSessions, invoke, openTestSessions, outcome } from '../test-sessions.ts'

let sandboxes: TestSessions
beforeAll(async () => {
  sandboxes = await openTestSessions()
})
afterAll(() => sandboxes.close())

/** Inside the skill: a frame as the host would send it. */
const FRAME = `
  const { writeSync } = await import('node:fs')
  const send = (header, body = '') => {
    const head = Buffer.from(JSON.stringify(header))
    const lengths = Buffer.alloc(8)
    lengths.writeUInt32BE(head.length, 0)
    lengths.writeUInt32BE(Buffer.byteLength(body), 4)
    writeSync(4, Buffer.concat([lengths, head, Buffer.from(body)]))
  }
`

const PYTHON_PIPES = `
import os
def pipes():
    found = []
    for name in os.listdir("/proc/self/fd"):
        try: found.append((int(name), os.readlink("/proc/self/fd/" + name)))
        except OSError: pass
    return found
`

test.each([
  ['garbage', 'writeSync(4, "x".repeat(100))'],
  ['a result with a guessed nonce', 'send({ type: "result", nonce: "0".repeat(32) }, "1")'],
  ['a result without a nonce', 'send({ type: "result" }, "1")'],
  ['a frame of no known type', 'send({ type: "grant" })'],
  ['a header that is no object', 'send([1])'],
  ['a frame that is ready too early', 'send({ type: "ready", after: null })'],
  ['an end of the process of a run', 'send({ type: "ended", nonce: "0".repeat(32), code: 0, signal: null })'],
  ['an end of no run', 'send({ type: "ended", code: 0, signal: null })'],
  [
    'an error with a reason that is not for the skill to give',
    'send({ type: "error", nonce: "x", reason: "worker_lost", error: {} })',
  ],
  ['a length of gigabytes', 'writeSync(4, Buffer.alloc(8, 255))'],
])('%s on the answer pipe fails the run and ends the session', async (_, code) => {
  const session = await sandboxes.node(
    `export async function execute() { ${FRAME} ${code}; await new Promise(() => setInterval(() => {}, 1000)) }`,
  )
  expect(outcome(await invoke(session, {}))).toBe('failed/sandbox_error')
  expect(await session.idle()).toBe(false)
})

test.each([
  ['names', 'Object.fromEntries(Array.from({ length: 30_000 }, (_, i) => [`name${i}`, 0]))', 'different names'],
  ['objects', 'Array.from({ length: 300_000 }, () => ({}))', 'lists and objects'],
  ['entries', 'Array.from({ length: 20_000 }, (_, i) => ({ name: `name${i}`, value: 0 }))', null],
])('a result that would be built slowly for everybody who asks for it is none: %s', async (_, value, why) => {
  const session = await sandboxes.node(`export async function execute() { return ${value} }`)
  const answer = await invoke(session, {})
  expect(outcome(answer)).toBe(why === null ? 'succeeded' : 'failed/output_invalid')
  if (why !== null) expect(answer.result).toMatchObject({ error: { message: expect.stringContaining(why) } })
  expect(await session.idle(), 'nothing is wrong with the sandbox').toBe(true)
})

test('a second result never counts, and ends the session', async () => {
  // Written right after the host has written its own.
  const session = await sandboxes.node(`export async function execute() {
    ${FRAME}
    return { toJSON() { process.nextTick(() => send({ type: 'result', nonce: 'x' }, '2')); return 1 } }
  }`)
  const run = await invoke(session, {})
  expect(run.output ?? outcome(run)).toBeOneOf([1, 'failed/sandbox_error'])
  while (session.usable) await new Promise((resolve) => setTimeout(resolve, 10))
})

test.each(['null', '"0".repeat(32)', 'undefined'])(
  'a session that says it is ready (after: %s) by itself serves nobody',
  async (after) => {
    // Written right after the host has written the result and that it is ready.
    const session = await sandboxes.node(`export async function execute() {
      ${FRAME}
      return { toJSON() { queueMicrotask(() => send({ type: 'ready', after: ${after} })); return 1 } }
    }`)
    const run = await invoke(session, {})
    expect(run.output ?? outcome(run)).toBeOneOf([1, 'failed/sandbox_error'])
    while (session.usable) await new Promise((resolve) => setTimeout(resolve, 10))
    expect(await session.idle()).toBe(false)
  },
)

test('a session that says it is ready while its host still cleans up serves nobody', async () => {
  const session = await sandboxes.node(`import { writeFileSync } from 'node:fs'
    export async function execute() {
      ${FRAME}
      writeFileSync('/tmp/left', '')
      return { toJSON() { queueMicrotask(() => send({ type: 'ready', after: null })); return 1 } }
    }`)
  const run = await invoke(session, {})
  expect(run.output ?? outcome(run)).toBeOneOf([1, 'failed/sandbox_error'])
  expect(await session.idle()).toBe(false)
})

test('a dependency that says more than "ready" while it is imported ahead is never lent to a run', async () => {
  const folder = await sandboxes.bundle({
    'main.py': 'import evil\ndef handler(input): return 1\n',
    '.skillet/preimport.json': '["evil"]',
    '.skillet/site-packages/evil.py': `
import posix, time
header = b'{"type":"ready","after":null}'
posix.write(4, (len(header).to_bytes(4, "big") + bytes(4) + header) * 2)
time.sleep(60)
`,
  })
  const handler = { kind: 'python', file: 'main.py', function: 'handler', takes_context: false } as const
  const spec = { id: newSessionId(), runtime: 'python3', handler, bundle: folder, memory_mb: 256, network: [] } as const
  await expect(sandboxes.driver.prepare({ ...spec, ahead: true })).rejects.toThrow('said more than "ready"')
})

test('more than one result at once fails the run', async () => {
  // The host writes the body of its frame with this; the bytes after it go into the pipe in the same moment.
  const session = await sandboxes.python(`
import posix
def handler(input):
    real = posix.write
    posix.write = lambda fd, data: min(real(fd, b"1more") if bytes(data) == b"1" else real(fd, data), len(data))
    return 1
`)
  const { result } = await invoke(session, {})
  expect(result).toMatchObject({
    reason: 'sandbox_error',
    error: { message: expect.stringContaining('more than one result') },
  })
})

test('half a frame and then nothing is a timeout', async () => {
  const session = await sandboxes.node(
    `export async function execute() { ${FRAME} writeSync(4, Buffer.from([0, 0, 0, 9])); await new Promise(() => setInterval(() => {}, 1000)) }`,
  )
  expect(outcome(await invoke(session, {}, { timeout_ms: 300 }))).toBe('failed/timeout')
})

test('a late frame ends the session before it serves anybody else', async () => {
  const session = await sandboxes.node(
    `export async function execute() { ${FRAME} setTimeout(() => send({ type: 'ready' }), 50); return 1 }`,
  )
  expect((await invoke(session, {})).output).toBe(1)
  while (session.usable) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(outcome(await invoke(session, {}))).toBe('failed/sandbox_error')
})

test('a Python run holds no pipe of the platform but its own, and cannot open those of the first process', async () => {
  const session = await sandboxes.python(`${PYTHON_PIPES}
def handler(input):
    refused = []
    for path in ("mem", "fd/4", "fd/3", "environ"):
        try: open(f"/proc/{os.getppid()}/{path}", "rb+" if path == "mem" else "rb").close()
        except OSError as error: refused.append(path)
    held = [fd for fd, _ in pipes()]
    return {"refused": refused, "calls": 3 in held, "answers": 4 in held}
`)
  expect((await invoke(session, {})).output).toEqual({
    refused: ['mem', 'fd/4', 'fd/3', 'environ'],
    calls: false,
    answers: false,
  })
})

test.each([
  ['garbage on its own pipe', 'os.write(fd, b"x" * 100)'],
  [
    'a frame of its own before the real one',
    'os.write(fd, len(h).to_bytes(4, "big") + (1).to_bytes(4, "big") + h + b"1")',
  ],
])('%s fails a Python run, and only that run or session', async (_, code) => {
  const session = await sandboxes.python(`${PYTHON_PIPES}
def handler(input):
    h = b'{"type":"result","nonce":"00000000000000000000000000000000"}'
    for fd, target in pipes():
        if fd > 4 and target.startswith("pipe:"):
            try: ${code}
            except OSError: pass
    return 1
`)
  expect(outcome(await invoke(session, {}))).toBe('failed/sandbox_error')
})

test('a result is an own value: __proto__ and deep nesting do no harm', async () => {
  const session = await sandboxes.python('def handler(input):\n  return {"__proto__": {"polluted": 1}}')
  const { result } = await invoke(session, {})
  expect(result).toMatchObject({ status: 'succeeded', output: '{"__proto__":{"polluted":1}}' })
  expect(({} as { polluted?: number }).polluted).toBeUndefined()
  const deep = await sandboxes.node(
    'export function execute() { let v = 1; for (let i = 0; i < 3000; i++) v = [v]; return v }',
  )
  expect(outcome(await invoke(deep, {}))).toBe('failed/output_invalid')
})

test('an answer that is read after the deadline leaves it a timeout', async () => {
  const session = await sandboxes.node('export function execute() { return 1 }')
  const running = invoke(session, {}, { timeout_ms: 100 })
  // Deadline and answer both come while the server is busy with something else.
  const busy = performance.now() + 600
  await new Promise((resolve) => setImmediate(resolve))
  while (performance.now() < busy);
  expect(outcome(await running)).toBe('failed/timeout')
})
