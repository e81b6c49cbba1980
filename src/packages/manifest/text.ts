import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { Findings } from '../rules.ts'
import type { Place } from './place.ts'

/** The text of a file of the package, without a byte order mark. Null: too large or not UTF-8; the findings say so. */
export function readText(dir: string, file: string, maxBytes: number, findings: Findings): string | null {
  const bytes = readBytes(dir, file, maxBytes)
  if (typeof bytes !== 'number') return decodeText(bytes, file, findings)?.text ?? null
  findings.add('manifest.too_large', `${file} has ${bytes} bytes; at most ${maxBytes} are allowed.`, file)
  return null
}

/** A file without following a symbolic link. @returns Its size alone when it is larger than it may be. */
export function readBytes(dir: string, file: string, maxBytes: number): Uint8Array | number {
  const fd = openSync(join(dir, file), constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const { size } = fstatSync(fd)
    if (size > maxBytes) return size
    const bytes = Buffer.alloc(size)
    let filled = 0
    while (filled < size) {
      const count = readSync(fd, bytes, filled, size - filled, filled)
      if (count === 0) break
      filled += count
    }
    return bytes.subarray(0, filled)
  } finally {
    closeSync(fd)
  }
}

/** Null: not UTF-8; the findings say so. */
export function decodeText(
  bytes: Uint8Array,
  file: string,
  findings: Findings,
): { readonly text: string; readonly byteOrderMark: boolean } | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const byteOrderMark = text.startsWith('\uFEFF')
    return { text: byteOrderMark ? text.slice(1) : text, byteOrderMark }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    const { line, column } = firstNoText(bytes)
    findings.add('manifest.encoding', `${file} is not UTF-8 text.`, file, line, column)
    return null
  }
}

/** Where it ceases to be UTF-8. */
function firstNoText(bytes: Uint8Array): Place {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  let at = text.indexOf(REPLACEMENT)
  // The character itself may be there, too, in three bytes.
  for (let from = 0, offset = 0; at !== -1; at = text.indexOf(REPLACEMENT, from)) {
    offset += Buffer.byteLength(text.slice(from, at))
    if (!REPLACEMENT_BYTES.equals(bytes.subarray(offset, offset + REPLACEMENT_BYTES.length))) break
    offset += REPLACEMENT_BYTES.length
    from = at + 1
  }
  const lines = text.slice(text.startsWith('\uFEFF') ? 1 : 0, at).split(/\r\n|\n|\r/)
  return { line: lines.length, column: lines.at(-1)!.length + 1 }
}

const REPLACEMENT = '\uFFFD'
const REPLACEMENT_BYTES = Buffer.from(REPLACEMENT)
