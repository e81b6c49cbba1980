import { SkilletError } from '../model/errors.ts'
import type { AnyCall } from './route.ts'

/**
 * The one range of a file that a request asks for (RFC 9110, 14), up to but not with `end`; null where it asks for none, or for something
 * that may be ignored: several ranges, another unit; and where the whole is to be sent: of another file than `If-Range` is about, or to HEAD.
 * @throws SkilletError range_not_satisfiable
 */
export function rangeOf(
  { header, request }: Pick<AnyCall, 'header' | 'request'>,
  { etag, size }: { readonly etag: string; readonly size: number },
): { start: number; end: number } | null {
  const asked = header('range')
  const match = asked === undefined ? null : /^bytes=(\d{0,15})-(\d{0,15})$/.exec(asked.trim())
  if (match === null || request().method !== 'GET') return null
  // Dates, too, are of something else: none is ever told.
  if ((header('if-range') ?? etag) !== etag) return null
  const [first, last] = [match[1]!, match[2]!]
  if (first === '' && last === '') return null
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1)
  if (first !== '' && last !== '' && Number(last) < Number(first)) return null
  if (start >= end) {
    throw new SkilletError('range_not_satisfiable', `The file has ${size} bytes, and ${asked} is none of them.`, {
      data: { size },
    })
  }
  return { start, end }
}
