import type { Findings } from '../rules.ts'
import { printable } from './names.ts'
import { LOCAL_BYTES, localTail, parseLocal, SIGNATURE, type End, type Entry, type Header } from './records.ts'
import type { Source } from './source.ts'

/** An entry and where its compressed bytes are. */
export interface Located {
  readonly entry: Entry
  readonly dataStart: number
}

const FLAG = { encrypted: 1, descriptor: 8, utf8: 0x800 }

/**
 * Compares the file list with the headers beside the data, and demands that the entries lie one after another without holes:
 * then every reader, also one that reads from the front, sees the same files.
 */
export function locate(source: Source, end: End, entries: readonly Entry[], findings: Findings): Located[] {
  const located: Located[] = []
  let position = 0
  for (const entry of entries.toSorted((a, b) => a.localOffset - b.localOffset)) {
    const file = printable(entry.path)
    if (entry.localOffset < position) findings.add('zip.overlap', `"${file}" lies within another entry.`, file)
    else if (entry.localOffset > position) reportHole(position, entry.localOffset, file, findings)
    const found = readLocal(source, entry, end.directoryOffset, findings)
    if (found === null) return located
    located.push({ entry, dataStart: found.dataStart })
    position = Math.max(position, found.end)
  }
  if (position < end.directoryOffset && entries.length > 0) reportHole(position, end.directoryOffset, null, findings)
  return located
}

function reportHole(from: number, to: number, file: string | null, findings: Findings): void {
  if (from === 0) findings.add('zip.prepended', `${to} bytes stand before the first entry.`)
  else
    findings.add(
      'zip.hidden_data',
      `${to - from} bytes before ${file === null ? 'the file list' : `"${file}"`} belong to no entry.`,
      file,
    )
}

function readLocal(
  source: Source,
  entry: Entry,
  limit: number,
  findings: Findings,
): { dataStart: number; end: number } | null {
  const file = printable(entry.path)
  const fixed = source.read(entry.localOffset, LOCAL_BYTES)
  const tail = fixed.length === LOCAL_BYTES ? localTail(fixed) : null
  if (tail === null) {
    findings.add('zip.malformed', `There is no header where "${file}" should begin.`, file)
    return null
  }
  const rest = source.read(entry.localOffset + LOCAL_BYTES, tail.name + tail.extra)
  const dataStart = entry.localOffset + LOCAL_BYTES + tail.name + tail.extra
  const dataEnd = dataStart + entry.compressedSize
  if (dataEnd > limit) {
    findings.add('zip.malformed', `"${file}" reaches beyond the data of the archive.`, file)
    return null
  }
  const local = parseLocal(fixed, rest, tail.name)
  for (const what of differences(entry, local)) {
    findings.add(
      'zip.header_mismatch',
      `"${file}": the header beside the data has another ${what} than the file list.`,
      file,
    )
  }
  return { dataStart, end: dataEnd + descriptorBytes(source, entry, dataEnd) }
}

function differences(entry: Entry, local: Header): string[] {
  const told = (entry.flags & FLAG.descriptor) !== 0
  const flags = FLAG.encrypted | FLAG.descriptor | FLAG.utf8
  // With a descriptor after the data the local header may leave these open.
  const same = (key: 'crc' | 'compressedSize' | 'size') => local[key] === entry[key] || (told && local[key] === 0)
  return [
    ...(local.name.equals(entry.name) ? [] : [`name ("${printable(local.name.toString('utf8'))}")`]),
    ...(local.method === entry.method ? [] : ['compression method']),
    ...((local.flags & flags) === (entry.flags & flags) ? [] : ['set of flags']),
    ...(same('crc') ? [] : ['checksum']),
    ...(same('compressedSize') ? [] : ['compressed size']),
    ...(same('size') ? [] : ['size']),
  ]
}

/** The length of the record after the data: with or without a signature, or not there at all. Another content is a hole. */
function descriptorBytes(source: Source, entry: Entry, at: number): number {
  if ((entry.flags & FLAG.descriptor) === 0) return 0
  const bytes = source.read(at, 16)
  const fits = (from: number) =>
    bytes.length >= from + 12 &&
    bytes.readUInt32LE(from) === entry.crc &&
    bytes.readUInt32LE(from + 4) === entry.compressedSize &&
    bytes.readUInt32LE(from + 8) === entry.size
  if (bytes.length === 16 && bytes.readUInt32LE(0) === SIGNATURE.descriptor && fits(4)) return 16
  return fits(0) ? 12 : 0
}
