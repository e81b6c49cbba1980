import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { Findings } from '../rules.ts'

/** The text of a file of the package, without a byte order mark. Null: too large or not UTF-8; the findings say so. */
export function readText(dir: string, file: string, maxBytes: number, findings: Findings): string | null {
  const fd = openSync(join(dir, file), constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const { size } = fstatSync(fd)
    if (size > maxBytes) {
      findings.add('manifest.too_large', `${file} has ${size} bytes; at most ${maxBytes} are allowed.`, file)
      return null
    }
    const bytes = Buffer.alloc(size)
    let filled = 0
    while (filled < size) {
      const count = readSync(fd, bytes, filled, size - filled, filled)
      if (count === 0) break
      filled += count
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, filled))
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    findings.add('manifest.encoding', `${file} is not UTF-8 text.`, file)
    return null
  } finally {
    closeSync(fd)
  }
}
