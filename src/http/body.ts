import { isUtf8 } from 'node:buffer'
import type { z } from 'zod'
import { type Problem, SkilletError } from '../model/errors.ts'
import { EXCESS, excessOf } from '../model/json-shape.ts'
import { turnFor } from '../model/written-json.ts'
import { type Hold, SMALL_BYTES } from './payload-room.ts'

/** What the body readers need of a request. */
export interface Incoming {
  header(name: string): string | undefined
  bytes(): Promise<Buffer>
  stream(): AsyncIterable<Uint8Array>
  /** Asked before it is read. */
  readonly hold: Hold
}

/**
 * The body's text, never holding more than `limit` bytes of it.
 * @throws SkilletError body_too_large, rate_limited, unsupported_media_type, bad_request when it is not UTF-8
 */
export async function readJsonText(request: Incoming, limit: number): Promise<string> {
  const length = request.header('content-length')
  if (length === undefined && request.header('transfer-encoding') === undefined) return ''
  if (length === '0') return ''
  checkType(request.header('content-type'), request.header('content-encoding'))
  if (length !== undefined && Number(length) > limit) throw tooLarge(`${length} bytes are`, limit)
  if (length !== undefined) request.hold(Number(length))
  // The length is what the parser of HTTP holds the client to.
  const bytes = length === undefined ? await collect(request, limit) : await request.bytes()
  // Decoding would put U+FFFD where the caller meant something else.
  if (!isUtf8(bytes)) throw new SkilletError('bad_request', 'The body is not UTF-8.')
  return bytes.toString('utf8')
}

/** @throws SkilletError bad_request; body_too_large for one that would take much longer to build than to read */
export async function parseJson(text: string): Promise<unknown> {
  await turnFor(text)
  const excess = excessOf(text)
  if (excess !== null) {
    throw new SkilletError(excess === 'depth' ? 'bad_request' : 'body_too_large', `The body ${EXCESS[excess]}.`)
  }
  await turnFor(text)
  try {
    return JSON.parse(text)
  } catch (error) {
    // The engine's own words quote the text, which may hold a secret: only the place is taken from them.
    const place = /\bline \d+ column \d+/.exec((error as Error).message)?.[0]
    throw new SkilletError('bad_request', `The body is not JSON${place === undefined ? '' : `: see ${place}`}.`)
  }
}

/** @throws SkilletError bad_request with all places: pointers into a body, names of parameters */
export function check<T extends z.ZodType>(schema: T, value: unknown, where: 'body' | 'query' | 'path'): z.output<T> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const { issues } = result.error
  const problems: Problem[] = issues.slice(0, MOST_PROBLEMS).map(({ path, message }) => ({
    pointer: where === 'body' ? path.map((key) => `/${escape(String(key))}`).join('') : '',
    message: where === 'body' || path.length === 0 ? message : `The ${where} parameter "${path.join('.')}": ${message}`,
  }))
  throw new SkilletError(
    'bad_request',
    `The ${where} has ${issues.length === 1 ? '1 problem' : `${issues.length} problems`}.`,
    { problems },
  )
}

/** How many problems of one request are told. */
const MOST_PROBLEMS = 100

/** `application/json` alone, in UTF-8, as it is. */
function checkType(type: string | undefined, encoding: string | undefined): void {
  const [name, ...parameters] = (type ?? '').split(';').map((part) => part.trim().toLowerCase())
  const foreign = parameters.some((one) => one.startsWith('charset') && !/^charset="?utf-?8"?$/.test(one))
  if (name !== 'application/json' || foreign) {
    const what = type ? `"${type.slice(0, 100)}"` : 'nothing that is named'
    throw new SkilletError('unsupported_media_type', `The body comes as ${what}; it must be JSON in UTF-8.`)
  }
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new SkilletError(
      'unsupported_media_type',
      `The body is encoded as "${encoding.slice(0, 100)}"; send it as it is.`,
    )
  }
}

/** Room is asked for in such pieces where nobody says how much will come. */
const STEP_BYTES = 2 ** 20

async function collect({ stream, hold }: Pick<Incoming, 'stream' | 'hold'>, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let [size, held] = [0, SMALL_BYTES]
  for await (const chunk of stream()) {
    size += chunk.byteLength
    if (size > limit) throw tooLarge('More was sent than is', limit)
    for (; held < size; held += STEP_BYTES) hold(STEP_BYTES)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const escape = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1')

function tooLarge(what: string, limit: number): SkilletError {
  return new SkilletError('body_too_large', `${what} more than the ${limit} that this path takes.`)
}
