/** What a program says first when it wants to speak TLS. */
export interface ClientHello {
  /** With whom, in lower case; null when it does not say. */
  readonly serverName: string | null
}

/** `more` has to come; `none`: this is no TLS; `broken`: it began as TLS and went on as something else. */
export type Reading = 'more' | 'none' | 'broken' | ClientHello

/** Reads the first bytes of a connection, in pieces of any size, each byte once. */
export interface HelloReader {
  push(chunk: Buffer): Reading
  /** All that was pushed. */
  bytes(): Buffer
}

/** Records and handshake together. Those of browsers and of Node have up to 2 KB, most of it keys. */
const LARGEST = 16_384

/**
 * By RFC 8446 (4.1.2, 5.1) and RFC 6066 (3), and stricter where a server might read something else than we do: one name only, no
 * extension twice, nothing after the ClientHello in its record. Extensions and values that are not known (RFC 8701) are passed over.
 */
export function createHelloReader(): HelloReader {
  let held: Buffer | null = null
  let used = 0
  let tail: Buffer = EMPTY
  /** Up to where `held` has been read, and what is missing of the record that is read. */
  let at = 0
  let missing = 0
  let handshake: Buffer = EMPTY
  let have = 0

  function read(): Reading {
    for (;;) {
      if (missing === 0) {
        const state = beginsRecord(held!.subarray(at, used), at === 0)
        if (state !== 'whole') return state
        missing = held!.readUInt16BE(at + 3)
        at += RECORD_HEADER
      }
      const piece = held!.subarray(at, Math.min(at + missing, used))
      if (piece.length === 0) return 'more'
      if (handshake.length === 0) handshake = Buffer.allocUnsafe(LARGEST)
      have += piece.copy(handshake, have)
      at += piece.length
      missing -= piece.length
      if (handshake[0] !== CLIENT_HELLO) return 'broken'
      if (have < 4) continue
      const whole = 4 + handshake.readUIntBE(1, 3)
      if (whole > LARGEST || have > whole) return 'broken'
      if (have === whole) return missing === 0 ? (readHello(handshake.subarray(4, whole)) ?? 'broken') : 'broken'
    }
  }

  return {
    push(chunk) {
      if (used === 0 && chunk[0] !== HANDSHAKE) {
        tail = chunk
        return 'none'
      }
      held ??= Buffer.allocUnsafe(LARGEST)
      const taken = chunk.copy(held, used)
      used += taken
      tail = chunk.subarray(taken)
      const reading = read()
      return reading === 'more' && used === LARGEST ? 'broken' : reading
    },
    bytes: () => Buffer.concat([held?.subarray(0, used) ?? EMPTY, tail]),
  }
}

const EMPTY = Buffer.alloc(0)
const RECORD_HEADER = 5
const HANDSHAKE = 22
const CLIENT_HELLO = 1

/** @param first Whether it is the first record: its header and first byte decide whether this is TLS. */
function beginsRecord(bytes: Buffer, first: boolean): 'whole' | 'more' | 'none' | 'broken' {
  const otherwise = first ? 'none' : 'broken'
  const [type, major, minor] = bytes
  if (type !== undefined && type !== HANDSHAKE) return otherwise
  if ((major !== undefined && major !== 3) || (minor !== undefined && minor > 4)) return otherwise
  if (bytes.length < RECORD_HEADER) return 'more'
  const length = bytes.readUInt16BE(3)
  if (length === 0 || length > LARGEST) return otherwise
  if (!first) return 'whole'
  if (bytes.length === RECORD_HEADER) return 'more'
  return bytes[RECORD_HEADER] === CLIENT_HELLO ? 'whole' : 'none'
}

/** @param body Without its header of four bytes. @returns Null when it is none. */
function readHello(body: Buffer): ClientHello | null {
  const reader = createReader(body)
  // Version and random.
  if (!reader.take(2 + 32)) return null
  const session = reader.vector(1)
  const ciphers = reader.vector(2)
  const compressions = reader.vector(1)
  if (!session || session.length > 32 || !ciphers || ciphers.length < 2 || ciphers.length % 2 !== 0) return null
  if (!compressions || compressions.length === 0) return null
  if (reader.left() === 0) return { serverName: null }
  const extensions = reader.vector(2)
  if (!extensions || reader.left() !== 0) return null
  return readExtensions(extensions)
}

function readExtensions(bytes: Buffer): ClientHello | null {
  const reader = createReader(bytes)
  const seen = new Set<number>()
  let serverName: string | null = null
  while (reader.left() > 0) {
    const type = reader.take(2)?.readUInt16BE(0)
    const data = reader.vector(2)
    if (type === undefined || !data || seen.has(type)) return null
    seen.add(type)
    if (type !== SERVER_NAME) continue
    serverName = readServerName(data)
    if (serverName === null) return null
  }
  return { serverName }
}
const SERVER_NAME = 0

function readServerName(data: Buffer): string | null {
  const list = createReader(data).vector(2)
  if (!list || list.length + 2 !== data.length) return null
  const reader = createReader(list)
  const kind = reader.take(1)
  const name = reader.vector(2)?.toString('latin1')
  if (kind?.[0] !== 0 || reader.left() !== 0 || name === undefined || !/^[\x21-\x7e]{1,253}$/.test(name)) return null
  return name.toLowerCase()
}

/** Null for what is not there any more. */
function createReader(bytes: Buffer) {
  let at = 0
  const take = (length: number): Buffer | null => {
    if (at + length > bytes.length) return null
    at += length
    return bytes.subarray(at - length, at)
  }
  return {
    take,
    /** With its length before it, in so many bytes. */
    vector(lengthBytes: 1 | 2): Buffer | null {
      const length = take(lengthBytes)?.readUIntBE(0, lengthBytes)
      return length === undefined ? null : take(length)
    },
    left: () => bytes.length - at,
  }
}
