import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestSessions, invoke, openTestSessions, outcome } from '../test-sessions.ts'

let sandboxes: TestSessions
beforeAll(async () => {
  sandboxes = await openTestSessions()
})
afterAll(() => sandboxes.close())

test('a script gets its arguments, stdin and environment, and answers with its streams, exit code and last JSON line', async () => {
  const session = await sandboxes.scripts({
    'scripts/run.sh':
      'cat scripts/run.sh > /dev/null && echo "$1-$2-$A-$S"; cat; echo oops >&2; echo \'{"n": 1}\'; exit 3',
  })
  const { output, logs } = await invoke(
    session,
    { script: 'scripts/run.sh', args: ['a', 'b c'], stdin: 'in\n' },
    { env: { A: 'env', BASH_ENV: '/x' }, secrets: { S: 'secret' } },
  )
  expect(output).toEqual({
    exit_code: 3,
    stdout: 'a-b c-env-secret\nin\n{"n": 1}\n',
    stderr: 'oops\n',
    value: { n: 1 },
  })
  expect(logs.map(({ text }) => text).toSorted()).toEqual(['a-b c-env-secret', 'in', 'oops', '{"n": 1}'])
})

test.each([
  ['a.py', 'import sys; print(sys.version_info[0])', '3\n'],
  ['a.js', 'console.log(process.versions.node.split(".")[0])', '24\n'],
  ['a.mjs', 'import os from "node:os"; console.log(os.hostname())', 'skillet\n'],
  ['a.ts', 'const n: number = 7; console.log(n)', '7\n'],
  ['a.sh', '[[ 1 == 1 ]] && echo bash', 'bash\n'],
  ['tool', '#!/bin/sh\necho by itself', 'by itself\n'],
])('%s runs with what its name or first line asks for', async (name, code, stdout) => {
  const session = await sandboxes.scripts({ [name]: code })
  expect((await invoke(session, { script: name })).output).toMatchObject({ exit_code: 0, stdout })
})

test.each([
  ['another file of the package', { script: 'SKILL.md' }],
  ['a path that leads out', { script: '../usr/bin/id' }],
  ['no script', {}],
  ['arguments that are no strings', { script: 'a.sh', args: [1] }],
  ['an argument with NUL', { script: 'a.sh', args: ['a\0b'] }],
])('%s is refused', async (_, input) => {
  const session = await sandboxes.scripts({ 'a.sh': 'echo ran' })
  const run = await invoke(session, input)
  expect(outcome(run)).toBe('failed/runtime_error')
  expect(run.logs).toEqual([])
  expect(session.usable).toBe(true)
})

test('a script that writes more than is kept, or is killed, still answers', async () => {
  const session = await sandboxes.scripts({ 'big.sh': 'head -c 900000 /dev/zero | tr "\\0" x', 'die.sh': 'kill -9 $$' })
  const big = await invoke(session, { script: 'big.sh' })
  expect((big.output as { stdout: string }).stdout.length).toBe(900_000)
  expect((await invoke(session, { script: 'die.sh' })).output).toMatchObject({ exit_code: 137 })
})

test('a script that floods its output has its log cut, and the session ends with it', async () => {
  const session = await sandboxes.scripts({ 'flood.sh': 'head -c 3000000 /dev/zero | tr "\\0" "\\n"' })
  const { result, logs } = await invoke(session, { script: 'flood.sh' })
  expect(result.status).toBe('succeeded')
  expect(logs.filter(({ stream }) => stream === 'system')).toHaveLength(1)
  expect(session.usable).toBe(false)
})
