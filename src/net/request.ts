import { type ClientRequest, type IncomingMessage, request as requestPlain } from 'node:http'
import { request as requestTls } from 'node:https'
import { type LookupFunction, type Socket, isIP } from 'node:net'
import { isWithin, parseNetworks } from './networks.ts'
import type { AddressPolicy } from './policy.ts'
import { RequestFailed, requestFailed } from './request-failed.ts'
import { resolveTarget } from './resolve.ts'
import type { Target } from './target.ts'

export interface PinnedRequest {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** For DNS, TLS, sending and answer together. */
  readonly timeoutMs: number
  /** Of the answer's body; what comes after is not read. Default: 65,536. */
  readonly maxBytes?: number | undefined
  /** DNS servers, as `address` or `address:port`. Default: the machine's. */
  readonly servers?: readonly string[] | undefined
  readonly signal?: AbortSignal | undefined
}

export interface PinnedAnswer {
  readonly status: number
  readonly retryAfter: string | null
  /** The first 1,024 bytes of it, as text. */
  readonly body: string
}

/**
 * Sends one request to an address that was checked, by a connection of its own. Redirects are answers like others, and no proxy
 * of the environment is used. An answer whose body does not end is still an answer: its status counts.
 * @throws TargetRefused; RequestFailed; the signal's reason
 */
export async function sendPinned(target: Target, policy: AddressPolicy, options: PinnedRequest): Promise<PinnedAnswer> {
  const { signal, timeoutMs, servers } = options
  signal?.throwIfAborted()
  const ending = new AbortController()
  const onAbort = (): void => ending.abort()
  signal?.addEventListener('abort', onAbort, { once: true })
  const timer = setTimeout(onAbort, timeoutMs)
  try {
    const addresses = await resolveTarget(target, policy, { servers, signal: ending.signal })
    // Others are there for when the first cannot be reached; who lists hundreds does not get hundreds of connections.
    const request = open(target, addresses.slice(0, MOST_ADDRESSES), options, ending.signal)
    return await answerOf(request, options.maxBytes ?? 65_536, ending.signal)
  } catch (error) {
    signal?.throwIfAborted()
    if (ending.signal.aborted) throw new RequestFailed(`There was no answer in ${timeoutMs} ms.`, { cause: error })
    throw error
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}

const MOST_ADDRESSES = 4
const HEADER_BYTES = 16_384
const SHOWN_BYTES = 1024

function open(
  target: Target,
  addresses: readonly string[],
  { method, headers, body }: PinnedRequest,
  signal: AbortSignal,
): ClientRequest {
  const { host, port, path, secure, authority } = target
  const found = addresses.map((address) => ({ address, family: isIP(address) }))
  const lookup: LookupFunction = (_host, { all }, callback) => {
    if (all === true) callback(null, found)
    else callback(null, found[0]!.address, found[0]!.family)
  }
  const common = {
    host,
    port,
    path,
    method,
    lookup,
    signal,
    // A connection, and a memory of TLS sessions, for this request alone.
    agent: false,
    maxHeaderSize: HEADER_BYTES,
    autoSelectFamilyAttemptTimeout: 1000,
    headers: { ...headers, host: authority, 'content-length': Buffer.byteLength(body), 'accept-encoding': 'identity' },
  }
  // Said explicitly, as NODE_TLS_REJECT_UNAUTHORIZED must not weaken it.
  const request = secure
    ? requestTls({
        ...common,
        servername: isIP(host) === 0 ? host : '',
        rejectUnauthorized: true,
        minVersion: 'TLSv1.2',
      })
    : requestPlain(common)
  const pinned = parseNetworks(addresses)
  request.once('socket', (socket: Socket) => {
    // Before anything is written: what waits for the connection comes after this listener.
    socket.once('connect', () => {
      if (!isWithin(pinned, socket.remoteAddress ?? ''))
        socket.destroy(new RequestFailed('The connection led to another address.'))
    })
  })
  request.end(body)
  return request
}

function answerOf(request: ClientRequest, maxBytes: number, signal: AbortSignal): Promise<PinnedAnswer> {
  return new Promise((resolve, reject) => {
    let answered = false
    // Once the answer has begun it does not matter how sending ended.
    request.on('error', (error) => {
      if (!answered) reject(error instanceof RequestFailed || signal.aborted ? error : requestFailed(error))
    })
    request.once('upgrade', (response, socket) => {
      socket.destroy()
      resolve({ status: response.statusCode!, retryAfter: null, body: '' })
    })
    request.once('response', (response) => {
      answered = true
      void shownOf(response, maxBytes).then((body) => {
        request.destroy()
        resolve({ status: response.statusCode!, retryAfter: response.headers['retry-after'] ?? null, body })
      })
    })
  })
}

/** Reads to the end, or to where it is too much, too long or broken off. Never rejects. */
function shownOf(response: IncomingMessage, maxBytes: number): Promise<string> {
  return new Promise((resolve) => {
    const shown: Buffer[] = []
    let size = 0
    const done = (): void => resolve(Buffer.concat(shown).subarray(0, SHOWN_BYTES).toString('utf8'))
    response.on('data', (chunk: Buffer) => {
      if (size < SHOWN_BYTES) shown.push(chunk)
      size += chunk.length
      if (size >= maxBytes) response.destroy()
    })
    response.once('error', done).once('close', done)
  })
}
