/** Signatures of a zip file's records, little-endian. */
export const SIGNATURE = {
  local: 0x04034b50,
  central: 0x02014b50,
  end: 0x06054b50,
  zip64Locator: 0x07064b50,
  descriptor: 0x08074b50,
}

/** The end of central directory record. */
export interface End {
  readonly offset: number
  readonly disk: number
  readonly entries: number
  readonly directorySize: number
  readonly directoryOffset: number
  readonly commentLength: number
}

export const END_BYTES = 22

/** Expects the signature at `at` and END_BYTES from there. @param base Where the buffer begins in the file. */
export function parseEnd(buffer: Buffer, at: number, base: number): End {
  return {
    offset: base + at,
    // Of four fields about several disks one suffices: all must be 0, or the two counts equal.
    disk:
      buffer.readUInt16LE(at + 4) |
      buffer.readUInt16LE(at + 6) |
      (buffer.readUInt16LE(at + 8) ^ buffer.readUInt16LE(at + 10)),
    entries: buffer.readUInt16LE(at + 10),
    directorySize: buffer.readUInt32LE(at + 12),
    directoryOffset: buffer.readUInt32LE(at + 16),
    commentLength: buffer.readUInt16LE(at + 20),
  }
}

/** What a header says of an entry: the central directory and the local header say it twice. */
export interface Header {
  readonly flags: number
  readonly method: number
  readonly crc: number
  readonly compressedSize: number
  readonly size: number
  readonly name: Buffer
  readonly extra: Buffer
}

/** One entry of the central directory. */
export interface Entry extends Header {
  /** Which system made it: 3 is Unix, 19 macOS. */
  readonly host: number
  readonly disk: number
  readonly attributes: number
  readonly localOffset: number
  /** The name as text; replacement characters where it is not UTF-8. */
  readonly path: string
}

/** All entries of a central directory, or null where it is not made of entries to its end. Stops after `most`. */
export function parseDirectory(buffer: Buffer, most: number): Entry[] | null {
  const entries: Entry[] = []
  let at = 0
  while (at < buffer.length && entries.length < most) {
    if (at + 46 > buffer.length || buffer.readUInt32LE(at) !== SIGNATURE.central) return null
    const nameEnd = at + 46 + buffer.readUInt16LE(at + 28)
    const extraEnd = nameEnd + buffer.readUInt16LE(at + 30)
    const end = extraEnd + buffer.readUInt16LE(at + 32)
    if (end > buffer.length) return null
    const name = buffer.subarray(at + 46, nameEnd)
    entries.push({
      host: buffer.readUInt8(at + 5),
      ...parseCommon(buffer, at + 8),
      disk: buffer.readUInt16LE(at + 34),
      attributes: buffer.readUInt32LE(at + 38),
      localOffset: buffer.readUInt32LE(at + 42),
      name,
      extra: buffer.subarray(nameEnd, extraEnd),
      path: name.toString('utf8'),
    })
    at = end
  }
  return entries
}

export const LOCAL_BYTES = 30

/** How long the name and extra field of a local header are; null when there is no local header. Expects LOCAL_BYTES. */
export function localTail(fixed: Buffer): { name: number; extra: number } | null {
  if (fixed.readUInt32LE(0) !== SIGNATURE.local) return null
  return { name: fixed.readUInt16LE(26), extra: fixed.readUInt16LE(28) }
}

export function parseLocal(fixed: Buffer, tail: Buffer, nameLength: number): Header {
  return { ...parseCommon(fixed, 6), name: tail.subarray(0, nameLength), extra: tail.subarray(nameLength) }
}

/** Flags, method, time, CRC and sizes stand in the same order in both headers. */
function parseCommon(buffer: Buffer, at: number): Pick<Header, 'flags' | 'method' | 'crc' | 'compressedSize' | 'size'> {
  return {
    flags: buffer.readUInt16LE(at),
    method: buffer.readUInt16LE(at + 2),
    crc: buffer.readUInt32LE(at + 8),
    compressedSize: buffer.readUInt32LE(at + 12),
    size: buffer.readUInt32LE(at + 16),
  }
}

/** The extra fields of a header: id -> content. Null where they are not well formed. */
export function parseExtra(extra: Buffer): Map<number, Buffer> | null {
  const fields = new Map<number, Buffer>()
  let at = 0
  while (at + 4 <= extra.length) {
    const end = at + 4 + extra.readUInt16LE(at + 2)
    if (end > extra.length) return null
    fields.set(extra.readUInt16LE(at), extra.subarray(at + 4, end))
    at = end
  }
  return fields
}
