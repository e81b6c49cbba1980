import { afterAll, beforeAll, expect, test } from 'vitest'
import { RESERVED_NAMES, RESERVED_PREFIXES } from '../reserved-env.ts'
import { type TestSessions, invoke, openTestSessions } from '../test-sessions.ts'

let sandboxes: TestSessions
beforeAll(async () => {
  sandboxes = await openTestSessions()
})
afterAll(() => sandboxes.close())

const SEEDS = [
  'PYTHONPATH',
  'LD_PRELOAD',
  'LD_LIBRARY_PATH',
  'DYLD_INSERT_LIBRARIES',
  'AWS_SECRET_ACCESS_KEY',
  'AGENT_RUNNER_ID',
]
const ALL = [...RESERVED_NAMES, ...RESERVED_PREFIXES.map((prefix) => `${prefix}X`), ...SEEDS]
const CASES = [
  (name: string) => name,
  (name: string) => name.toLowerCase(),
  (name: string) => name.replaceAll(/(.)(.)/g, (_both, a: string, b: string) => a + b.toLowerCase()),
]
const NAMES = [...new Set(CASES.flatMap((change) => ALL.map(change)))]
const PYTHON = `
import os
def handler(input, context): return [dict(os.environ), dict(context.env), dict(context.secrets)]
`
const NODE = `
export const execute = (input, context) => [process.env, context.env, context.secrets]
`

const valued = (names: string[]): Record<string, string> => Object.fromEntries(names.map((name) => [name, 'set']))

test.each(['python', 'node'] as const)('no reserved name reaches a %s skill, whoever sets it', async (language) => {
  const session =
    language === 'python' ? await sandboxes.python(PYTHON, { takes_context: true }) : await sandboxes.node(NODE)
  const half = Math.ceil(NAMES.length / 2)
  for (const turn of [NAMES, NAMES.toReversed()]) {
    const { output } = await invoke(session, null, {
      env: { ...valued(turn.slice(0, half)), PLAIN: 'yes' },
      secrets: { ...valued(turn.slice(half)), TOKEN: 'yes' },
    })
    const [environ, env, secrets] = output as [object, object, object]
    const seen = [environ, env, secrets].flatMap((one) => Object.entries(one)).filter(([, value]) => value === 'set')
    expect(seen).toEqual([])
    expect(environ).toMatchObject({ PLAIN: 'yes', TOKEN: 'yes' })
    expect([env, secrets]).toEqual([{ PLAIN: 'yes', TOKEN: 'yes' }, { TOKEN: 'yes' }])
  }
  await session.kill()
})
