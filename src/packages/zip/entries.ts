import type { Findings } from '../rules.ts'
import { printable } from './names.ts'
import { parseExtra, type Entry } from './records.ts'

export interface ArchiveLimits {
  /** All files together, inflated, in bytes. */
  readonly packageBytes: number
  readonly packageEntries: number
  readonly pathChars: number
  /** How many times smaller than its content a large file may be. */
  readonly compressionRatio: number
}

/** Ratios of small files say nothing. */
const RATIO_COUNTS_FROM = 2 ** 20

const FLAG = { encrypted: 1, strong: 0x40, masked: 0x2000 }
const EXTRA = { zip64: 0x0001, unicodePath: 0x7075, aes: 0x9901 }
const STORE = 0
const DEFLATE = 8

/** True for what tools leave behind: it is never unpacked. */
export function isIgnored(path: string): boolean {
  return path.split('/').some((segment) => IGNORED.has(segment))
}

export const IGNORED = new Set(['__MACOSX', '.DS_Store', '.git', 'node_modules', '__pycache__'])

export const isFolder = (entry: Entry): boolean => entry.path.endsWith('/')

/** What one entry of the file list says of its kind, its content and its size. */
export function checkEntry(entry: Entry, limits: ArchiveLimits, findings: Findings): void {
  const file = printable(entry.path)
  if ((entry.flags & (FLAG.encrypted | FLAG.strong | FLAG.masked)) !== 0)
    findings.add('zip.encrypted', `"${file}" is encrypted.`, file)
  if (entry.disk !== 0) findings.add('zip.multi_disk', `"${file}" lies in another part of the archive.`, file)
  checkExtra(entry, file, findings)
  checkKind(entry, file, findings)
  if (entry.method !== STORE && entry.method !== DEFLATE) {
    findings.add('zip.compression', `"${file}" is compressed by method ${entry.method}.`, file)
  }
  if (entry.method === STORE && entry.size !== entry.compressedSize) {
    findings.add('zip.size_mismatch', `"${file}" is stored, but its two sizes differ.`, file)
  }
  if (entry.size > limits.packageBytes) {
    findings.add(
      'zip.too_large',
      `"${file}" has ${entry.size} bytes; the whole package may have ${limits.packageBytes}.`,
      file,
    )
  }
  if (entry.size > RATIO_COUNTS_FROM && entry.size > entry.compressedSize * limits.compressionRatio) {
    findings.add('zip.bomb', `"${file}" inflates from ${entry.compressedSize} to ${entry.size} bytes.`, file)
  }
}

function checkExtra(entry: Entry, file: string, findings: Findings): void {
  const extra = parseExtra(entry.extra)
  if (extra === null) return findings.add('zip.malformed', `The extra field of "${file}" is broken.`, file)
  if (extra.has(EXTRA.zip64)) findings.add('zip.zip64', `"${file}" uses zip64 records.`, file)
  if (extra.has(EXTRA.aes)) findings.add('zip.encrypted', `"${file}" is encrypted.`, file)
  // Version, CRC of the other name, then the name that some readers take instead.
  const other = extra.get(EXTRA.unicodePath)?.subarray(5)
  if (other !== undefined && !other.equals(entry.name)) {
    findings.add('zip.header_mismatch', `"${file}" has a second name "${printable(other.toString('utf8'))}".`, file)
  }
}

const TYPE = { mask: 0o170000, folder: 0o040000, file: 0o100000, link: 0o120000 }

function checkKind(entry: Entry, file: string, findings: Findings): void {
  const type = (entry.attributes >>> 16) & TYPE.mask
  if (type === TYPE.link) return findings.add('zip.symlink', `"${file}" is a symbolic link.`, file)
  if (type !== 0 && type !== TYPE.folder && type !== TYPE.file) {
    return findings.add('zip.device', `"${file}" is a device, pipe or socket.`, file)
  }
  const folder = isFolder(entry)
  const dosFolder = (entry.attributes & 0x10) !== 0
  const otherwise = folder ? type === TYPE.file || entry.size !== 0 : type === TYPE.folder || dosFolder
  if (otherwise)
    findings.add(
      'zip.type_mismatch',
      `"${file}" is marked as a ${folder ? 'file' : 'folder'} by its attributes or size.`,
      file,
    )
}

const UNIX_HOSTS = new Set([3, 19])

export const isExecutable = (entry: Entry): boolean =>
  UNIX_HOSTS.has(entry.host) && ((entry.attributes >>> 16) & 0o111) !== 0
