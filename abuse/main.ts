// npm run abuse: attacks the sandbox in every way we know of, as root and as an ordinary user. Options: --as root|user|both (default: both
// where this is root, else user), --only 1,2,5-9, --driver bwrap|runsc (default: bwrap), --json (one line for each part of each case).
import { parseArgs } from 'node:util'
import { CASES } from './cases.ts'
import { LEFTOVERS, type Row, type User, partsOf, table } from './report.ts'
import { startPass } from './start-pass.ts'
import { createTurns } from './turns.ts'

const { values } = parseArgs({
  options: {
    as: { type: 'string' },
    only: { type: 'string' },
    driver: { type: 'string', default: 'bwrap' },
    json: { type: 'boolean', default: false },
  },
})
const root = process.getuid!() === 0
const users = usersOf(values.as ?? (root ? 'both' : 'user'))
const only = numbersOf(values.only)
const driver = values.driver === 'bwrap' || values.driver === 'runsc' ? values.driver : null
/** How often it says how far it is, in milliseconds. */
const TELL_MS = 10_000
const say = (text: string): void => void process.stderr.write(`${text}\n`)

if (users !== null && driver !== null && only !== null && only.length > 0) {
  process.exitCode = await main(users, driver, only)
} else {
  say('Usage: npm run abuse -- [--as root|user|both] [--only 1,2,5-9] [--driver bwrap|runsc] [--json]')
  if (users === null && !root) say('An ordinary user can only try it as an ordinary user.')
  process.exitCode = 2
}

async function main(passes: readonly User[], under: 'bwrap' | 'runsc', numbers: readonly number[]): Promise<number> {
  const cases = CASES.filter(({ number }) => numbers.includes(number))
  const rows: Row[] = []
  const limits = new Map(passes.map((as) => [as, 'unknown']))
  const turns = createTurns(passes.length)
  const add = (row: Row): void => {
    rows.push(row)
    if (values.json) process.stdout.write(`${JSON.stringify(row)}\n`)
  }
  // Each pass is told, and ends by itself.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, nothing)
  const tried = async (as: User): Promise<void> => {
    const onLine = (line: Row | { readonly limits: string }): void => {
      if ('limits' in line) limits.set(as, line.limits)
      else add(line)
    }
    const end = await startPass(as, under, numbers, { onLine, turn: turns.taken }).finally(turns.over)
    // What it had no time to say did not hold.
    const told = (number: number, part: string): boolean =>
      rows.some((row) => row.as === as && row.number === number && row.part === part)
    const expected = [
      ...cases.flatMap((one) => partsOf(one).map((part) => ({ number: one.number, title: one.title, part }))),
      { ...LEFTOVERS, part: 'world' as const },
    ]
    for (const { number, title, part } of expected) {
      if (told(number, part)) continue
      const why = `the pass ended before it was tried (${end})`
      add({ number, title, as, part, status: 'failed', why, first: null, ms: 0 })
    }
  }
  // All of it takes minutes, and the table comes at the end.
  const each = cases.flatMap((one) => partsOf(one)).length + 1
  const progress = (): void => {
    const done = passes.map((as) => `as ${as} ${rows.filter((row) => row.as === as).length} of ${each}`)
    const failed = rows.filter(({ status }) => status === 'failed').length
    say(`  still at it: ${done.join(', ')}${failed === 0 ? '' : `; ${failed} failed`}`)
  }
  const telling = values.json ? undefined : setInterval(progress, TELL_MS)
  // Much of what they do is waiting: for the end of a run that never ends, for what has to be gone.
  await Promise.all(passes.map(tried)).finally(() => clearInterval(telling))
  if (!values.json) console.log(table(cases, rows, limits))
  return rows.some(({ status }) => status === 'failed') ? 1 : 0
}

function nothing(): void {}

function usersOf(text: string): User[] | null {
  if (text === 'user') return ['user']
  if (!root) return null
  if (text === 'both') return ['root', 'user']
  return text === 'root' ? ['root'] : null
}

/** `1,2,5-9`; null for what is no such list. */
function numbersOf(text: string | undefined): number[] | null {
  const all = CASES.map(({ number }) => number)
  if (text === undefined) return all
  const ranges = text.split(',').map((part) => /^(\d+)(?:-(\d+))?$/.exec(part.trim()))
  if (ranges.some((range) => range === null)) return null
  return all.filter((number) =>
    ranges.some((range) => number >= Number(range![1]) && number <= Number(range![2] ?? range![1])),
  )
}
