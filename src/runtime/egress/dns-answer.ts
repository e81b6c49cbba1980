import { decode } from 'dns-packet'

/** What is said about a name: an address, that there is none, that there is no such name, or that nothing is said. */
export type Verdict = { readonly address: string } | 'none' | 'unknown' | 'refused'

/**
 * The answer to a query. It repeats the question byte by byte, upper and lower case included, and holds one address at the most, so that
 * it always fits.
 * @param decide Told the name in lower case without the dot at the end, and whether an IPv4 address is asked for.
 * @returns Null for what deserves no answer.
 */
export function answerQuery(packet: Buffer, decide: (name: string, wantsAddress: boolean) => Verdict): Buffer | null {
  // An answer is never answered: two servers could go on for ever.
  if (packet.length < HEADER || (packet[2]! & 0x80) !== 0) return null
  if (((packet[2]! >> 3) & 15) !== 0) return answer(packet, HEADER, RCODE.notImplemented)
  const question = readQuestion(packet)
  if (question === null) return answer(packet, HEADER, RCODE.malformed)
  if (question.class !== 'IN') return answer(packet, question.end, RCODE.refused)
  const verdict = decide(question.name, question.type === 'A')
  if (verdict === 'unknown') return answer(packet, question.end, RCODE.noSuchName)
  if (verdict === 'refused') return answer(packet, question.end, RCODE.refused)
  return answer(packet, question.end, RCODE.fine, verdict === 'none' ? undefined : verdict.address)
}

const HEADER = 12
/** A query with one question and a cookie has far fewer bytes. */
const LARGEST_QUERY = 1232
const RCODE = { fine: 0, malformed: 1, noSuchName: 3, notImplemented: 4, refused: 5 } as const

function readQuestion(packet: Buffer): { name: string; type: string; class: string; end: number } | null {
  if (packet.length > LARGEST_QUERY || packet.readUInt16BE(4) !== 1) return null
  // What follows the question is never looked at, however well it may be formed.
  const alone = Buffer.from(packet)
  alone.fill(0, 6, HEADER)
  try {
    const [question] = decode(alone).questions ?? []
    const end = decode.bytes
    if (question === undefined || end > packet.length) return null
    return { name: question.name.toLowerCase(), type: question.type, class: question.class ?? 'IN', end }
  } catch {
    return null
  }
}

/** @param end Of what is repeated of the query. */
function answer(query: Buffer, end: number, rcode: number, address?: string): Buffer {
  const record =
    address === undefined ? Buffer.alloc(0) : Buffer.from([...ADDRESS_RECORD, ...address.split('.').map(Number)])
  const bytes = Buffer.concat([query.subarray(0, end), record])
  bytes[2] = 0x84 | (query[2]! & 1) // an answer, with authority; whether recursion was desired is repeated
  bytes[3] = 0x80 | rcode // recursion is to be had
  bytes.fill(0, 4, HEADER)
  bytes.writeUInt16BE(end === HEADER ? 0 : 1, 4)
  bytes.writeUInt16BE(address === undefined ? 0 : 1, 6)
  return bytes
}

/** Of the name at byte 12: type A, class IN, valid for five seconds, four bytes. */
const ADDRESS_RECORD = [0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4] as const
