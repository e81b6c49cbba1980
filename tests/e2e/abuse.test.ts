import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { beforeAll, describe, expect, test } from 'vitest'
import { CASES } from '../../abuse/cases.ts'
import { LEFTOVERS, type Part, type Row, type User, partsOf } from '../../abuse/report.ts'

const ABUSE = new URL('../../abuse/main.ts', import.meta.url).pathname
/** Root can be anybody; others can only be themselves. */
const USERS: readonly User[] = process.getuid!() === 0 ? ['root', 'user'] : ['user']
/** Told at the end of `npm test`: see scripts/vitest-counter.mjs. */
const SECOND_TRY = 'second try'
const NAMED: Readonly<Record<Part, string>> = { python: ', from Python', node: ', from Node', world: '' }

const rows = new Map<string, Row>()
const keyOf = ({ as, number, part }: Pick<Row, 'as' | 'number' | 'part'>): string => `${as} ${number} ${part}`
let stderr = ''

beforeAll(async () => {
  const child = spawn(process.execPath, [ABUSE, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] })
  const said = text(child.stderr)
  for await (const line of createInterface({ input: child.stdout })) {
    const row = JSON.parse(line) as Row
    rows.set(keyOf(row), row)
  }
  stderr = await said
  // All of them at once: minutes on a good machine, and machines are not all good.
}, 3_600_000)

test('there are 61 cases, each once', () => {
  expect(CASES.map(({ number }) => number)).toEqual(Array.from({ length: 61 }, (_, i) => i + 1))
})

describe.each(USERS)('as %s', (as) => {
  const parts = CASES.flatMap(({ number, title, ...one }) =>
    partsOf({ number, title, ...one }).map((part) => ({ number, part, name: `${number} ${title}${NAMED[part]}` })),
  )
  test.for([...parts, { number: LEFTOVERS.number, part: 'world' as const, name: LEFTOVERS.title }])(
    '$name',
    async ({ number, part }, { skip, annotate }) => {
      const row = rows.get(keyOf({ as, number, part }))
      if (row?.status === 'not_run') skip(row.why!)
      expect(row?.why, stderr.slice(-2000)).toBeNull()
      if (row?.first !== null) await annotate(row!.first, SECOND_TRY)
    },
  )
})
