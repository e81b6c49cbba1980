import { SkilletError } from '../../model/errors.ts'
import type { Page, PageOptions } from '../ports.ts'

/** Most rows of a page, whatever is asked for. */
const MOST = 200

/** How many rows to read for a page: one more tells whether there is a next one. */
export const rowsFor = ({ limit }: PageOptions): number => Math.min(Math.max(limit, 1), MOST) + 1

/** The key after which the page begins; null for the first page. @throws SkilletError bad_request */
export function afterKey({ cursor }: PageOptions): string | null {
  if (cursor === undefined) return null
  const key = Buffer.from(cursor, 'base64url').toString('utf8')
  if (key.length === 0 || Buffer.from(key).toString('base64url') !== cursor) {
    throw new SkilletError('bad_request', 'The cursor is not one that this server gave out.')
  }
  return key
}

/** @param rows As many as `rowsFor` said. @param keyOf What `afterKey` gets of the last one. */
export function toPage<Row, T>(
  rows: Row[],
  options: PageOptions,
  keyOf: (row: Row) => string,
  decode: (row: Row) => T,
): Page<T> {
  const shown = rows.slice(0, rowsFor(options) - 1)
  const last = rows.length > shown.length ? shown.at(-1) : undefined
  return {
    items: shown.map((row) => decode(row)),
    next: last === undefined ? null : Buffer.from(keyOf(last)).toString('base64url'),
  }
}
