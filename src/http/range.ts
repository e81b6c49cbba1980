import { SkilletError } from '../model/errors.ts'

/**
 * The one range that a `Range` header asks for (RFC 9110, 14), up to but not with `end`; null where it asks for none, or for something that
 * may be ignored: several ranges, another unit.
 * @throws SkilletError range_not_satisfiable
 */
export function rangeOf(header: string | undefined, size: number): { start: number; end: number } | null {
  const match = header === undefined ? null : /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header.trim())
  if (match === null) return null
  const [first, last] = [match[1]!, match[2]!]
  if (first === '' && last === '') return null
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1)
  if (first !== '' && last !== '' && Number(last) < Number(first)) return null
  if (start >= end) {
    throw new SkilletError('range_not_satisfiable', `The file has ${size} bytes, and ${header} is none of them.`, {
      data: { size },
    })
  }
  return { start, end }
}
