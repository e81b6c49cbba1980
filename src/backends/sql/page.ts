import { SkilletError } from '../../model/errors.ts'
import type { Page, PageOptions } from '../../model/page.ts'
import type { Queries, Value } from './database.ts'

/** Most rows of a page, whatever is asked for. */
const MOST = 200

/**
 * A whole number as it is written into a LIMIT: SQLite plans a statement anew each time that a LIMIT is bound to a value,
 * which takes several times as long as running it.
 * @throws RangeError when it is not a whole number of at least 0.
 */
export function literal(count: number): string {
  if (!Number.isSafeInteger(count) || count < 0) throw new RangeError(`A LIMIT must be a whole number, not ${count}.`)
  return String(count)
}

/** The LIMIT that reads a page: one more row tells whether there is a next one. */
export const rowsFor = (options: PageOptions): string => literal(size(options) + 1)

/** A condition with a placeholder for each value; of none, what is never true. */
export function oneOf(column: string, values: readonly string[]): string {
  return values.length === 0 ? '1 = 0' : `${column} IN (${values.map(() => '?').join(', ')})`
}

/** The key after which the page begins; null for the first page. @throws SkilletError bad_request */
export function afterKey({ cursor }: PageOptions): string | null {
  if (cursor === undefined) return null
  const key = Buffer.from(cursor, 'base64url').toString('utf8')
  if (key.length === 0 || Buffer.from(key).toString('base64url') !== cursor) {
    throw foreign()
  }
  return key
}

/** The same where the key is a whole number: another list's key is none. @throws SkilletError bad_request */
export function afterNumber(options: PageOptions): number | null {
  const key = afterKey(options)
  if (key === null) return null
  // As far as numbers are exact.
  if (!/^(?:0|[1-9]\d{0,14})$/.test(key)) throw foreign()
  return Number(key)
}

/** @param rows As many as `rowsFor` said. @param keyOf What `afterKey` gets of the last one. */
export function toPage<Row, T>(
  rows: Row[],
  options: PageOptions,
  keyOf: (row: Row) => string,
  decode: (row: Row) => T,
): Page<T> {
  const shown = rows.slice(0, size(options))
  const last = rows.length > shown.length ? shown.at(-1) : undefined
  return {
    items: shown.map((row) => decode(row)),
    next: last === undefined ? null : Buffer.from(keyOf(last)).toString('base64url'),
  }
}

/**
 * A page of rows with ids, newest first: ids sort by time.
 * @param select Up to and with its WHERE, which has at least one condition. @param values Of that WHERE.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- rows are what the statement gives and what `decode` takes
export async function pageById<Row extends { readonly id: string }, T>(
  db: Queries,
  select: string,
  values: readonly Value[],
  options: PageOptions,
  decode: (row: Row) => T,
): Promise<Page<T>> {
  const after = afterKey(options)
  const rows = await db.query<Row>(
    `${select} ${after === null ? '' : 'AND id < ?'} ORDER BY id DESC LIMIT ${rowsFor(options)}`,
    ...values,
    ...(after === null ? [] : [after]),
  )
  return toPage(rows, options, ({ id }) => id, decode)
}

const foreign = (): SkilletError =>
  new SkilletError('bad_request', 'The cursor is not one that this server gave out for this list.')

const size = ({ limit }: PageOptions): number => Math.min(Math.max(Math.trunc(limit), 1), MOST)
