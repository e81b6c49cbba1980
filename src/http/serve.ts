import { once } from 'node:events'
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { LIMITS } from '../model/sizes.ts'
import type { App } from './app.ts'
import { type ClientAddress, createClientAddress } from './client-address.ts'
import { createListener } from './listener.ts'
import type { RequestLog } from './request-log.ts'

export interface ServeOptions {
  /** Default 127.0.0.1. */
  readonly host?: string
  /** 0 takes a free one. */
  readonly port: number
  /** The one whose signal the app was made with: closing aborts it, so that waits and event streams end. */
  readonly stopping?: AbortController
  /** How long `close` lets requests under way end, in milliseconds; then their sockets are cut. Default 10,000. */
  readonly graceMs?: number
  /** Told of what is refused before the app sees it; the app tells of the rest. Default: nobody is. */
  readonly requestLog?: RequestLog | undefined
  /** Default: the socket's address. */
  readonly clientOf?: ClientAddress
  /** Other times than the usual ones. */
  readonly times?: Partial<ServeTimes>
}

/** In milliseconds: slow senders, and those that do nothing, hold no sockets. */
interface ServeTimes {
  /** Headers must be there. Default 15,000. */
  readonly headers: number
  /** The whole request must be there. Default 300,000. */
  readonly request: number
  /** The next request must begin. Default 65,000: longer than load balancers wait. */
  readonly keepAlive: number
  /** Something must be sent or received: longer than the longest wait for a run. Default 360,000. */
  readonly idle: number
  /** How often the first two are looked at. Default 5,000. */
  readonly check: number
}

export interface Listening {
  /** `http://host:port`, with the port that was really taken. */
  readonly url: string
  /** Stops accepting, ends streams and waits, lets the rest end. May be called twice. */
  close(): Promise<void>
}

const TIMES: ServeTimes = { headers: 15_000, request: 300_000, keepAlive: 65_000, idle: 360_000, check: 5000 }

/** Listens. @throws the error of the socket, such as EADDRINUSE. */
export async function serve(app: App, options: ServeOptions): Promise<Listening> {
  const { host = '127.0.0.1', port, stopping, graceMs = 10_000, clientOf = createClientAddress(), requestLog } = options
  const times = { ...TIMES, ...options.times }
  const server = createListener(app, { clientOf, requestLog }, times.check)
  server.headersTimeout = times.headers
  server.requestTimeout = times.request
  server.keepAliveTimeout = times.keepAlive
  server.timeout = times.idle
  server.maxConnections = LIMITS.connections
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(port, host)
  await once(server, 'listening')
  let closing: Promise<void> | undefined
  return {
    url: urlOf(server),
    close: () => (closing ??= close(server, sockets, { stopping, graceMs })),
  }
}

async function close(
  server: Server,
  sockets: ReadonlySet<Socket>,
  { stopping, graceMs }: { stopping: AbortController | undefined; graceMs: number },
): Promise<void> {
  stopping?.abort()
  const closed = once(server, 'close')
  server.close()
  server.closeIdleConnections()
  // Clients connect ahead of their requests, too: for Node such a connection is none that is idle.
  for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
  const impatience = setTimeout(() => server.closeAllConnections(), graceMs)
  try {
    await closed
  } finally {
    clearTimeout(impatience)
  }
}

function urlOf(server: Server): string {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server does not listen on a TCP port.')
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return `http://${host}:${address.port}`
}
