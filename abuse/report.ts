import type { AbuseCase } from './case.ts'

export type User = 'root' | 'user'
export type Part = 'python' | 'node' | 'world'
export const PARTS = ['python', 'node', 'world'] as const

/** What came of one part of one case as one user: a line of `--json`. Case 0 is what is left on the host at the end. */
export interface Row {
  readonly number: number
  readonly title: string
  readonly as: User
  readonly part: Part
  readonly status: 'held' | 'failed' | 'not_run'
  /** What went wrong, or why it was not run; null when it held. */
  readonly why: string | null
  /** What went wrong at its first try, where it held at its second, with nothing else of the suite at work; null for others. */
  readonly first: string | null
  readonly ms: number
}

export const LEFTOVERS = { number: 0, title: 'nothing is left on the host' } as const

export function partsOf(one: AbuseCase): Part[] {
  return PARTS.filter((part) => one[part] !== undefined)
}

/** A case a line, what was not held below with its reason, and how many were. */
export function table(cases: readonly AbuseCase[], rows: readonly Row[], limits: ReadonlyMap<User, string>): string {
  const users = [...limits.keys()]
  const titles = [...cases, LEFTOVERS]
  const width = Math.max(...titles.map(({ title }) => title.length))
  const cells = users.flatMap((as) => PARTS.map((part) => ({ as, part })))
  const line = (number: string, title: string, texts: readonly string[]): string =>
    `${number.padStart(3)}  ${title.padEnd(width)}  ${texts.map((text) => text.padEnd(7)).join('  ')}`.trimEnd()
  const shown = (row: Row | undefined): string => (row === undefined ? '' : SHOWN[row.status])
  return [
    ...users.map((as) => `as ${as}: limits ${limits.get(as)}`),
    line(
      '',
      '',
      users.flatMap((as) => [`as ${as}`, '', '']),
    ),
    line(
      '',
      '',
      cells.map(({ part }) => (part === 'world' ? 'other' : part)),
    ),
    ...titles.map(({ number, title }) => {
      const own = rows.filter((row) => row.number === number)
      const texts = cells.map(({ as, part }) => shown(own.find((row) => row.as === as && row.part === part)))
      return line(number === 0 ? '' : String(number), title, texts)
    }),
    ...reasons(rows),
    ...secondTries(rows),
    summary(cases, rows),
  ].join('\n')
}

/** What held only at its second try: on a machine that stands still now and then, or a defect that shows now and then. */
function secondTries(rows: readonly Row[]): string[] {
  return rows
    .filter(({ first }) => first !== null)
    .map(({ number, part, as, first }) => `${number} ${part}: held as ${as} at the second try; at the first: ${first}`)
}

/** What was not held, or not run, and why; what has one reason in one line. */
function reasons(rows: readonly Row[]): string[] {
  const wrong = rows.filter(({ status }) => status !== 'held')
  const alike = Map.groupBy(wrong, ({ as, status, why }) => `${SHOWN[status]} as ${as}: ${why}`)
  return [...alike].map(([text, group]) => {
    const names = group.map(({ number, part }) => (part === 'world' ? String(number) : `${number} ${part}`))
    return `${names.join(', ')}: ${text}`
  })
}

const SHOWN = { held: 'held', failed: 'FAILED', not_run: 'not run' } as const

/** A case is held when all of it that there is was run and held. */
function summary(cases: readonly AbuseCase[], rows: readonly Row[]): string {
  const of = (one: AbuseCase, status: Row['status']): boolean =>
    rows.some((row) => row.number === one.number && row.status === status)
  const failed = cases.filter((one) => of(one, 'failed'))
  const partly = cases.filter((one) => !failed.includes(one) && of(one, 'not_run'))
  const held = cases.length - failed.length - partly.length
  return [
    `${held} of ${cases.length} held`,
    ...(failed.length > 0 ? [`${failed.length} FAILED (${numbers(failed)})`] : []),
    ...(partly.length > 0 ? [`${partly.length} not or not wholly run (${numbers(partly)})`] : []),
  ].join('; ')
}

const numbers = (list: readonly AbuseCase[]): string => list.map(({ number }) => number).join(', ')
