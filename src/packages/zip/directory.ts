import type { Findings } from '../rules.ts'
import { END_BYTES, parseDirectory, parseEnd, SIGNATURE, type End, type Entry } from './records.ts'
import type { Source } from './source.ts'

/** A comment is at most 64 KiB long, so the end record begins in this many last bytes. */
const TAIL_BYTES = END_BYTES + 0xffff
/** Room for any sensible number of long names; a directory beyond it is not read into memory. */
const MOST_DIRECTORY_BYTES = 4 * 2 ** 20

/** The file list of an archive with its end record. Null: it cannot be read; the findings say why. */
export function readDirectory(
  source: Source,
  mostEntries: number,
  findings: Findings,
): { end: End; entries: Entry[] } | null {
  const end = findEnd(source, findings)
  if (end === null) return null
  if (isZip64(source, end)) {
    findings.add('zip.zip64', 'The archive uses zip64 records.')
    return null
  }
  if (end.disk !== 0) {
    findings.add('zip.multi_disk', 'The archive says that it is spread over several files.')
    return null
  }
  if (end.entries > mostEntries) {
    findings.add('zip.too_many_entries', `The archive has ${end.entries} entries; at most ${mostEntries} are allowed.`)
    return null
  }
  const directoryEnd = end.directoryOffset + end.directorySize
  if (directoryEnd > end.offset) {
    findings.add('zip.malformed', 'The file list does not lie within the archive.')
    return null
  }
  if (directoryEnd < end.offset) {
    // Either everything is shifted by what stands before it, or there is something between list and end.
    findings.add('zip.prepended', `${end.offset - directoryEnd} bytes of the archive belong to no record.`)
    return null
  }
  return readEntries(source, end, mostEntries, findings)
}

function readEntries(
  source: Source,
  end: End,
  mostEntries: number,
  findings: Findings,
): { end: End; entries: Entry[] } | null {
  if (end.directorySize > MOST_DIRECTORY_BYTES) {
    findings.add('zip.too_many_entries', `The file list alone is ${end.directorySize} bytes long.`)
    return null
  }
  const entries = parseDirectory(source.read(end.directoryOffset, end.directorySize), mostEntries + 1)
  if (entries === null) {
    findings.add('zip.malformed', 'The file list holds something else than entries.')
    return null
  }
  if (entries.length > mostEntries) {
    findings.add(
      'zip.too_many_entries',
      `The archive has more than ${mostEntries} entries, though it says ${end.entries}.`,
    )
    return null
  }
  if (entries.length !== end.entries) {
    findings.add(
      'zip.header_mismatch',
      `The archive lists ${entries.length} entries but says that there are ${end.entries}.`,
    )
  }
  if (entries.length === 0) findings.add('zip.empty', 'The archive holds no entry.')
  return { end, entries }
}

function findEnd(source: Source, findings: Findings): End | null {
  const base = Math.max(0, source.size - TAIL_BYTES)
  const tail = source.read(base, TAIL_BYTES)
  const found: End[] = []
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (tail[at] === 0x50 && tail.readUInt32LE(at) === SIGNATURE.end) found.push(parseEnd(tail, at, base))
  }
  const fitting = found.filter((end) => end.offset + END_BYTES + end.commentLength === source.size)
  const end = fitting[0]
  if (end === undefined) {
    const cut = found[0]
    if (cut === undefined) findings.add('zip.malformed', 'This is not a zip archive: it has no end record.')
    else if (cut.offset + END_BYTES + cut.commentLength < source.size)
      findings.add('zip.trailing', 'Bytes follow the end of the archive.')
    else findings.add('zip.malformed', 'The archive is cut off within its comment.')
    return null
  }
  // A second end record within stored file data is a zip in the zip. After the file list it is a trick.
  const others = found.filter(
    (other) => other !== end && (fitting.includes(other) || other.offset >= end.directoryOffset),
  )
  if (others.length > 0) {
    findings.add('zip.ambiguous_end', 'The archive has more than one end record.')
    return null
  }
  return end
}

function isZip64(source: Source, end: End): boolean {
  if (end.entries === 0xffff || end.directorySize === 0xffffffff || end.directoryOffset === 0xffffffff) return true
  const before = source.read(end.offset - 20, 4)
  return before.length === 4 && before.readUInt32LE(0) === SIGNATURE.zip64Locator
}
