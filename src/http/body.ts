import { isUtf8 } from 'node:buffer'
import type { z } from 'zod'
import { type Problem, SkilletError } from '../model/errors.ts'

/** Nothing that people write nests deeper; what serialises and checks values recurses, so deeper ones are refused. */
const MAX_DEPTH = 200

/** What the body readers need of a request. */
export interface Incoming {
  header(name: string): string | undefined
  bytes(): Promise<Buffer>
  stream(): AsyncIterable<Uint8Array>
}

/**
 * The body's text, never holding more than `limit` bytes of it.
 * @throws SkilletError body_too_large, unsupported_media_type, bad_request when it is not UTF-8
 */
export async function readJsonText(request: Incoming, limit: number): Promise<string> {
  const length = request.header('content-length')
  if (length === undefined && request.header('transfer-encoding') === undefined) return ''
  if (length === '0') return ''
  checkType(request.header('content-type'), request.header('content-encoding'))
  if (length !== undefined && Number(length) > limit) throw tooLarge(`${length} bytes are`, limit)
  // The length is what the parser of HTTP holds the client to.
  const bytes = length === undefined ? await collect(request.stream(), limit) : await request.bytes()
  // Decoding would put U+FFFD where the caller meant something else.
  if (!isUtf8(bytes)) throw new SkilletError('bad_request', 'The body is not UTF-8.')
  return bytes.toString('utf8')
}

/** @throws SkilletError bad_request */
export function parseJson(text: string): unknown {
  if (depthExceeds(text, MAX_DEPTH)) {
    throw new SkilletError('bad_request', `The body nests deeper than ${MAX_DEPTH} levels.`)
  }
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
  const problems: Problem[] = result.error.issues.map(({ path, message }) => ({
    pointer: where === 'body' ? path.map((key) => `/${escape(String(key))}`).join('') : '',
    message: where === 'body' || path.length === 0 ? message : `The ${where} parameter "${path.join('.')}": ${message}`,
  }))
  throw new SkilletError(
    'bad_request',
    `The ${where} has ${problems.length === 1 ? '1 problem' : `${problems.length} problems`}.`,
    { problems },
  )
}

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

async function collect(stream: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    size += chunk.byteLength
    if (size > limit) throw tooLarge('More was sent than is', limit)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const escape = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1')

function tooLarge(what: string, limit: number): SkilletError {
  return new SkilletError('body_too_large', `${what} more than the ${limit} that this path takes.`)
}

/** Counts brackets outside strings. A short text cannot nest deeply, so most are not looked at. */
function depthExceeds(text: string, limit: number): boolean {
  if (text.length <= 2 * limit) return false
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22: // "
        i = endOfString(text, i)
        break
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > limit) return true
        break
      case 0x5d: // ]
      case 0x7d: // }
        depth--
        break
    }
  }
  return false
}

/** Where the string that opens at `start` closes: at the next quote with an even number of backslashes before it. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === 0x5c) slashes++
    if (slashes % 2 === 0) return end
  }
  return text.length
}
