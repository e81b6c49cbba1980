import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestSessions, invoke, openTestSessions, outcome } from '../test-sessions.ts'

let sandboxes: TestSessions
beforeAll(async () => {
  sandboxes = await openTestSessions()
})
afterAll(() => sandboxes.close())

test('a module gets its params and context, and its result comes back with its log before it', async () => {
  const session = await sandboxes.node(`
    export async function execute(params, context) {
      console.log('hello', params.name)
      console.error('careful')
      context.log('from the context')
      return { env: context.env, secrets: context.secrets, run: context.run.id, process: { ...process.env }, aborted: context.signal.aborted }
    }`)
  const { output, logs } = await invoke(
    session,
    { name: 'x' },
    { env: { A: '1', NODE_OPTIONS: '-v' }, secrets: { S: '2' } },
  )
  expect(output).toEqual({
    env: { A: '1', S: '2' },
    secrets: { S: '2' },
    run: 'run_1',
    process: { A: '1', S: '2' },
    aborted: false,
  })
  expect(logs.filter(({ stream }) => stream === 'stdout').map(({ text }) => text)).toEqual([
    'hello x',
    'from the context',
  ])
  expect(logs.filter(({ stream }) => stream === 'stderr').map(({ text }) => text)).toEqual(['careful'])
})

test('all that a run has written is in its own log, more than a pipe holds too', async () => {
  const session = await sandboxes.node(
    "export function execute({ n }) { for (let i = 0; i < n; i++) console.error(`${n} ${'x'.repeat(999)}`) }",
  )
  for (const n of [100, 400, 800, 10]) {
    const { logs } = await invoke(session, { n })
    expect(logs.map(({ text }) => text.split(' ')[0])).toEqual(Array.from({ length: n }, () => String(n)))
  }
})

test('validate() refuses by throwing or by answering false, and lets everything else pass', async () => {
  const session = await sandboxes.node(
    `export function validate({ how }) { if (how === 'throw') throw new Error('not like this'); return how !== 'false' }
     export const execute = () => 'executed'`,
    { validates: true },
  )
  const thrown = await invoke(session, { how: 'throw' })
  expect(thrown.result).toMatchObject({ reason: 'validation_error', error: { message: 'not like this' } })
  expect(outcome(await invoke(session, { how: 'false' }))).toBe('failed/validation_error')
  expect((await invoke(session, {})).output).toBe('executed')
})

test.each([
  ['an exception', 'throw new TypeError("no")', 'runtime_error', 'no'],
  ['something thrown that is no error', 'throw { code: 5 }', 'runtime_error', '{"code":5}'],
  [
    'a rejection nobody waits for',
    'Promise.reject(new Error("late")); await new Promise(() => setInterval(() => {}, 1000))',
    'runtime_error',
    'late',
  ],
  ['process.exit', 'process.exit(4)', 'runtime_error', 'exit code 4'],
  ['a function as result', 'return () => 1', 'output_invalid', 'function'],
  ['a BigInt as result', 'return 1n', 'output_invalid', 'BigInt'],
  ['a result that is too large', 'return "x".repeat(7 * 2 ** 20)', 'output_too_large', 'at most'],
])('%s fails the run and says so', async (_, code, reason, message) => {
  const session = await sandboxes.node(`export async function execute() { ${code} }`)
  const { result } = await invoke(session, {})
  expect(result).toMatchObject({ status: 'failed', reason, error: { message: expect.stringContaining(message) } })
})

test('an error has the lines of the skill and none of ours', async () => {
  const session = await sandboxes.node(
    'function inner() { throw new Error("x") }\nexport function execute() { inner() }',
  )
  const { result } = await invoke(session, {})
  const { stack } = (result as { error: { stack: string } }).error
  expect(stack).toContain('at inner (index.mjs:1:')
  expect(stack).not.toMatch(/node_host|node:internal/)
})

test('files and processes of a run are gone in the next, and so is its environment', async () => {
  const session = await sandboxes.node(`
    import { spawn } from 'node:child_process'
    import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
    export function execute() {
      const found = { files: readdirSync('/tmp'), sleeping: readdirSync('/proc').filter((p) => /^\\d+$/.test(p)).length, env: { ...process.env } }
      mkdirSync('/tmp/a'); writeFileSync('/tmp/a/b', 'x')
      process.env.LEFT = 'here'
      spawn('/bin/sleep', ['60'], { detached: true, stdio: 'ignore' }).unref()
      return found
    }`)
  const { output: first } = await invoke(session, {}, { secrets: { S: '1' } })
  const { output: second } = await invoke(session, {})
  expect(second).toEqual({ ...(first as object), env: {} })
})

test('patched globals of the skill do not break the answer', async () => {
  const session = await sandboxes.node(`
    export function execute() {
      JSON.stringify = () => 'forged'; JSON.parse = () => { throw new Error('patched') }
      Buffer.from = () => 'x'; Buffer.prototype.copy = () => 0; Array.prototype.push = () => 0
      Promise.prototype.then = undefined; process.exit = () => {}
      return { real: true }
    }`)
  expect((await invoke(session, {})).output).toEqual({ real: true })
  expect((await invoke(session, {})).output).toEqual({ real: true })
})

test.each([
  ['the JavaScript heap', 'const kept = []; for (;;) kept.push(new Array(1e5).fill(kept.length))'],
  ['buffers', 'const kept = []; for (;;) kept.push(Buffer.alloc(2 ** 24, 1))'],
])('more memory than allowed in %s is a memory_limit', async (_, code) => {
  const session = await sandboxes.node(`export function execute() { ${code} }`)
  expect(outcome(await invoke(session, {}))).toBe('failed/memory_limit')
  expect(await session.idle()).toBe(false)
})

test('the time limit ends a loop; before that the signal is aborted for those who listen', async () => {
  const busy = await sandboxes.node('export function execute() { for (;;); }')
  expect(outcome(await invoke(busy, {}, { timeout_ms: 300 }))).toBe('failed/timeout')
  const listening = await sandboxes.node(`export function execute(_, { signal }) {
    return new Promise((resolve) => { const t = setInterval(() => {}, 1000); signal.onabort = () => { clearInterval(t); resolve('stopped') } })
  }`)
  // A tenth of it is left then to say so.
  expect((await invoke(listening, {}, { timeout_ms: 8000 })).output).toBe('stopped')
})

test('what is left running and writes later ends the session, and is in no other log', async () => {
  const session = await sandboxes.node(
    `export function execute() { setTimeout(() => console.log('late'), 500); return 1 }`,
  )
  const { logs } = await invoke(session, {})
  expect(logs).toEqual([])
  while (session.usable) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(await session.idle()).toBe(false)
})
