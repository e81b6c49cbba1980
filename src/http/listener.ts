import { type Server, type ServerResponse, createServer } from 'node:http'
import type { Duplex } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import type { SkilletError } from '../model/errors.ts'
import { newId } from '../model/ids.ts'
import { LIMITS } from '../model/sizes.ts'
import type { App } from './app.ts'
import { parserRefusal, refusalOf } from './intake.ts'
import { problemReply } from './problem.ts'
import { partsOf } from './reply.ts'
import { type Observers, arrive } from './request-log.ts'

/** How long a client that was refused may take to read why, in milliseconds. */
const FAREWELL_MS = 1000

/**
 * The server before it listens: hands requests to the app, and refuses what is none in the way the app would.
 * @param checkMs How often senders that are too slow are looked for.
 */
export function createListener(app: App, observers: Observers, checkMs: number): Server {
  const listener = getRequestListener(app.fetch, { hostname: 'localhost' })
  const answering = new WeakMap<Duplex, ServerResponse>()
  const refused = new WeakSet<Duplex>()

  const server = createServer(
    // A missing Host is refused by us, so that the answer is like all others.
    { maxHeaderSize: LIMITS.headerBytes, requireHostHeader: false, connectionsCheckingInterval: checkMs },
    (incoming, outgoing) => {
      answering.set(incoming.socket, outgoing)
      const refusal = refusalOf(incoming)
      if (refusal === null) void listener(incoming, outgoing)
      else {
        const { request_id } = arrive({ incoming, outgoing }, null, observers)
        const { status, headers, text } = parting(refusal, request_id)
        outgoing.writeHead(status, headers).end(text)
      }
    },
  )
  // All of them are kept, so that none is overlooked; refusalOf counts them.
  server.maxHeadersCount = 0
  // RFC 9110 lets a server ignore what is expected of it but 100-continue.
  server.on('checkExpectation', (incoming, outgoing) => server.emit('request', incoming, outgoing))
  server.on('clientError', (error, socket) => {
    if (refused.has(socket)) return
    refused.add(socket)
    const refusal = parserRefusal(error)
    const before = answering.get(socket)
    const midway = before !== undefined && before.headersSent && !before.writableFinished
    if (refusal === null || midway || !socket.writable) socket.destroy()
    else farewell(socket, refusal, observers)
  })
  return server
}

/** Answers without the parser, which has given up, and hangs up. */
function farewell(socket: Duplex & { remoteAddress?: string }, refusal: SkilletError, observers: Observers): void {
  const requestId = newId('request')
  const { status, headers, text: body } = parting(refusal, requestId)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const text = `HTTP/1.1 ${status} ${refusal.code}\r\n${lines.join('')}\r\n${body}`
  // Destroyed at once, it would take the answer along.
  const timer = setTimeout(() => socket.destroy(), FAREWELL_MS)
  socket.once('close', () => clearTimeout(timer))
  socket.once('error', () => socket.destroy())
  socket.end(text)
  observers.requestLog?.({
    at: new Date().toISOString(),
    request_id: requestId,
    method: null,
    route: null,
    status,
    ms: 0,
    bytes: Buffer.byteLength(text),
    principal: null,
    tenant: null,
    client: observers.clientOf(socket.remoteAddress, undefined),
  })
}

/** The last answer on a connection. */
function parting(refusal: SkilletError, requestId: string) {
  const { status, headers, payload } = partsOf(problemReply(refusal, requestId), requestId)
  const text = typeof payload === 'string' ? payload : ''
  const length = { 'content-length': String(Buffer.byteLength(text)), connection: 'close' }
  return { status, headers: { ...headers, ...length }, text }
}
