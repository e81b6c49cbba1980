import { once } from 'node:events'
import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import type { App } from './app.ts'

export interface ServeOptions {
  /** Default 127.0.0.1. */
  readonly host?: string
  /** 0 takes a free one. */
  readonly port: number
  /** The one whose signal the app was made with: closing aborts it, so that waits and event streams end. */
  readonly stopping?: AbortController
  /** How long `close` lets requests under way end, in milliseconds; then their sockets are cut. Default 10,000. */
  readonly graceMs?: number
}

export interface Listening {
  /** `http://host:port`, with the port that was really taken. */
  readonly url: string
  /** Stops accepting, ends streams and waits, lets the rest end. May be called twice. */
  close(): Promise<void>
}

/** Headers must be there after this many milliseconds, the whole request after the second many: slow senders hold no sockets. */
const HEADERS_MS = 15_000
const REQUEST_MS = 300_000
const KEEP_ALIVE_MS = 65_000

/** Listens. @throws the error of the socket, such as EADDRINUSE. */
export async function serve(app: App, options: ServeOptions): Promise<Listening> {
  const { host = '127.0.0.1', port, stopping, graceMs = 10_000 } = options
  const server = createAdaptorServer({ fetch: app.fetch }) as Server
  server.headersTimeout = HEADERS_MS
  server.requestTimeout = REQUEST_MS
  server.keepAliveTimeout = KEEP_ALIVE_MS
  server.listen(port, host)
  await once(server, 'listening')
  let closing: Promise<void> | undefined
  return {
    url: urlOf(server),
    close: () => (closing ??= close(server, stopping, graceMs)),
  }
}

async function close(server: Server, stopping: AbortController | undefined, graceMs: number): Promise<void> {
  stopping?.abort()
  const closed = once(server, 'close')
  server.close()
  server.closeIdleConnections()
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
