import { crc32, deflateRawSync } from 'node:zlib'

/** One entry for tests, byte by byte: what is given wins over what would be right. */
export interface TestEntry {
  readonly name: string | Buffer
  readonly data?: string | Buffer
  /** Default: deflate. */
  readonly method?: number
  readonly mode?: number
  readonly host?: number
  readonly flags?: number
  readonly dosAttributes?: number
  /** The bytes in the archive, if they are not what the method makes of the data. */
  readonly raw?: Buffer
  readonly size?: number
  readonly crc?: number
  readonly compressedSize?: number
  readonly extra?: Buffer
  readonly disk?: number
  /** Where the file list says that the entry begins. */
  readonly localOffset?: number
  /** What only the header beside the data says. */
  readonly local?: {
    name?: string
    method?: number
    size?: number
    crc?: number
    compressedSize?: number
    flags?: number
  }
  /** A data descriptor, with signature, without, or wrong. */
  readonly descriptor?: 'signed' | 'bare' | 'wrong'
  /** Bytes before the entry that belong to nobody. */
  readonly gap?: Buffer
  /** Only in the file list, without data of its own. */
  readonly listOnly?: boolean
}

export interface TestArchive {
  readonly prepend?: Buffer
  readonly append?: Buffer
  readonly comment?: Buffer
  readonly count?: number
  readonly disk?: number
  readonly beforeEnd?: Buffer
  readonly directoryOffset?: number
}

/** Builds an archive, right or wrong in exactly the ways that are asked for. Only for tests. */
export function hostileZip(entries: readonly TestEntry[], archive: TestArchive = {}): Buffer {
  const parts: Buffer[] = [archive.prepend ?? Buffer.alloc(0)]
  const list: Buffer[] = []
  let position = parts[0]!.length
  const push = (part: Buffer): void => {
    parts.push(part)
    position += part.length
  }
  for (const entry of entries) {
    if (entry.gap !== undefined) push(entry.gap)
    const parsed = prepare(entry)
    list.push(central(entry, parsed, entry.localOffset ?? position))
    if (entry.listOnly === true) continue
    push(local(entry, parsed))
    push(parsed.raw)
    if (entry.descriptor !== undefined) push(descriptor(entry.descriptor, parsed))
  }
  const directory = Buffer.concat(list)
  const directoryOffset = archive.directoryOffset ?? position
  push(directory)
  if (archive.beforeEnd !== undefined) push(archive.beforeEnd)
  push(endRecord(archive, archive.count ?? entries.length, directory.length, directoryOffset))
  push(archive.append ?? Buffer.alloc(0))
  return Buffer.concat(parts)
}

export function endRecord(archive: TestArchive, count: number, directorySize: number, directoryOffset: number): Buffer {
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(archive.disk ?? 0, 4)
  end.writeUInt16LE(count & 0xffff, 8)
  end.writeUInt16LE(count & 0xffff, 10)
  end.writeUInt32LE(directorySize, 12)
  end.writeUInt32LE(directoryOffset, 16)
  end.writeUInt16LE(archive.comment?.length ?? 0, 20)
  return Buffer.concat([end, archive.comment ?? Buffer.alloc(0)])
}

interface Parsed {
  readonly name: Buffer
  readonly raw: Buffer
  readonly method: number
  readonly flags: number
  readonly crc: number
  readonly size: number
  readonly compressedSize: number
}

function prepare(entry: TestEntry): Parsed {
  const data = Buffer.from(entry.data ?? '')
  const method = entry.method ?? (data.length > 0 ? 8 : 0)
  const raw = entry.raw ?? (method === 8 ? deflateRawSync(data) : data)
  return {
    name: Buffer.from(entry.name),
    raw,
    method,
    flags: (entry.flags ?? 0x800) | (entry.descriptor === undefined ? 0 : 8),
    crc: entry.crc ?? crc32(data),
    size: entry.size ?? data.length,
    compressedSize: entry.compressedSize ?? raw.length,
  }
}

function fields(at: Parsed): Buffer {
  const buffer = Buffer.alloc(20)
  buffer.writeUInt16LE(at.flags, 0)
  buffer.writeUInt16LE(at.method, 2)
  buffer.writeUInt32LE(at.crc, 8)
  buffer.writeUInt32LE(at.compressedSize, 12)
  buffer.writeUInt32LE(at.size, 16)
  return buffer
}

function local(entry: TestEntry, parsed: Parsed): Buffer {
  const open = entry.descriptor === undefined ? {} : { crc: 0, size: 0, compressedSize: 0 }
  const own = { ...parsed, ...open, ...entry.local, name: Buffer.from(entry.local?.name ?? parsed.name) }
  const head = Buffer.alloc(6)
  head.writeUInt32LE(0x04034b50, 0)
  const lengths = Buffer.alloc(4)
  lengths.writeUInt16LE(own.name.length, 0)
  return Buffer.concat([head, fields(own), lengths, own.name])
}

function central(entry: TestEntry, parsed: Parsed, offset: number): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32LE(0x02014b50, 0)
  head.writeUInt8(entry.host ?? 3, 5)
  const tail = Buffer.alloc(18)
  tail.writeUInt16LE(parsed.name.length, 0)
  tail.writeUInt16LE(entry.extra?.length ?? 0, 2)
  tail.writeUInt16LE(entry.disk ?? 0, 6)
  tail.writeUInt32LE((((entry.mode ?? 0) << 16) | (entry.dosAttributes ?? 0)) >>> 0, 10)
  tail.writeUInt32LE(offset, 14)
  return Buffer.concat([head, fields(parsed), tail, parsed.name, entry.extra ?? Buffer.alloc(0)])
}

function descriptor(kind: 'signed' | 'bare' | 'wrong', parsed: Parsed): Buffer {
  const bare = Buffer.alloc(12)
  bare.writeUInt32LE(kind === 'wrong' ? 1 : parsed.crc, 0)
  bare.writeUInt32LE(parsed.compressedSize, 4)
  bare.writeUInt32LE(parsed.size, 8)
  return kind === 'bare' ? bare : Buffer.concat([Buffer.from([0x50, 0x4b, 7, 8]), bare])
}
