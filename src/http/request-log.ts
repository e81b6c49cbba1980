import type { IncomingMessage } from 'node:http'
import type { HttpBindings } from '@hono/node-server'
import { newId } from '../model/ids.ts'
import type { ClientAddress } from './client-address.ts'

/** What is told of a request when it has ended: never a body, a key, a query or a value of a header. */
export interface RequestLogEntry {
  /** When it ended. */
  readonly at: string
  /** The caller got the same one. */
  readonly request_id: string
  /** Null when what was sent could not be read as a request. */
  readonly method: string | null
  /** The pattern of the path, such as `/api/skills/{skill}`; null when nothing is served there. */
  readonly route: string | null
  /** Null when the client had gone before anything was answered. */
  readonly status: number | null
  /** From the arrival of the headers to the end of the answer; of an event stream, its whole length. */
  readonly ms: number
  /** Sent in answer, headers included. */
  readonly bytes: number
  /** Id of the key, or the subject of the token, once that is known. */
  readonly principal: string | null
  readonly tenant: string | null
  /** The address of the client. */
  readonly client: string | null
}

export type RequestLog = (entry: RequestLogEntry) => void

/** Who looks at requests from outside. */
export interface Observers {
  readonly clientOf: ClientAddress
  readonly requestLog?: RequestLog | undefined
}

/** A request that is being answered. `principal` and `tenant` are filled in when they are known. */
export interface Visit {
  readonly request_id: string
  readonly client: string | null
  principal: string | null
  tenant: string | null
}

/** A request has come in. The log is told when its answer has been sent, or its client has gone. */
export function arrive(
  { incoming, outgoing }: Partial<HttpBindings>,
  route: string | null,
  { clientOf, requestLog }: Observers,
): Visit {
  const client = clientOf(incoming?.socket.remoteAddress, forwardedFor(incoming))
  const visit: Visit = { request_id: newId('request'), client, principal: null, tenant: null }
  if (requestLog === undefined || incoming === undefined || outgoing === undefined) return visit
  const { socket, method = null } = incoming
  const began = performance.now()
  const before = socket.bytesWritten
  outgoing.once('close', () => {
    requestLog({
      at: new Date().toISOString(),
      request_id: visit.request_id,
      method,
      route,
      status: outgoing.headersSent ? outgoing.statusCode : null,
      ms: Math.round((performance.now() - began) * 10) / 10,
      bytes: socket.bytesWritten - before,
      principal: visit.principal,
      tenant: visit.tenant,
      client,
    })
  })
  return visit
}

function forwardedFor(incoming: IncomingMessage | undefined): string | undefined {
  const header = incoming?.headers['x-forwarded-for']
  return Array.isArray(header) ? header.join(',') : header
}
