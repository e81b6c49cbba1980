import type { Live } from './live.ts'

/** What a handler answers with. `body` becomes JSON; `stream`, `content` and `bytes` are sent as they are, with their `type`. */
export interface Reply {
  readonly status: number
  readonly body?: unknown
  readonly content?: string
  readonly bytes?: Uint8Array
  readonly stream?: ReadableStream<Uint8Array>
  /** Instead of this one, where there is no room for it. Default: the problem `rate_limited`. */
  readonly smaller?: Reply
  /** Events, sent as they happen. */
  readonly live?: Live
  /** Default application/json. */
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** On every answer. Answers are tenants' data: nothing caches, sniffs or frames them. */
const ALWAYS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const

/** Proxies that buffer would hold events back. */
const STREAMED = { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' } as const

/** All headers are given when the response is made: the server sends such a response without taking it apart again. */
export function toResponse(reply: Reply, requestId: string): Response {
  const { payload, ...init } = partsOf(reply, requestId)
  return new Response(payload, init)
}

/** What is sent, for those who send it without a Response. */
export function partsOf({ status, body, stream, content, bytes, live, type, headers }: Reply, requestId: string) {
  const payload = stream ?? content ?? bytes ?? (body === undefined ? null : JSON.stringify(body))
  const all: Record<string, string> = { ...ALWAYS, 'x-request-id': requestId }
  if (payload !== null) all['content-type'] = type ?? 'application/json'
  if (live !== undefined) Object.assign(all, STREAMED)
  return { status, headers: headers === undefined ? all : { ...all, ...headers }, payload }
}
