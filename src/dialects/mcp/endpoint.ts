import type { Operation } from '../../access/permissions.ts'
import { parseJson, readJsonText } from '../../http/body.ts'
import { idempotencyKeyOf } from '../../http/preferences.ts'
import type { Reply } from '../../http/reply.ts'
import type { AnyCall } from '../../http/route.ts'
import type { Services } from '../../http/services.ts'
import type { Caller } from '../../model/access.ts'
import { SkilletError } from '../../model/errors.ts'
import { LIMITS } from '../../model/sizes.ts'
import type { Answerer } from './handler.ts'
import { type InFlight, createInFlight } from './in-flight.ts'
import { rpcFailure } from './mcp-dialect.ts'
import type { Visit } from './visit.ts'
import { type Weighed, weighed } from './weight.ts'

/** What a method needs besides what the whole endpoint does. */
const NEEDS: ReadonlyMap<unknown, Operation> = new Map([
  ['tools/call', 'runs.invoke'],
  ['tasks/get', 'runs.read'],
  ['tasks/update', 'runs.read'],
  ['tasks/cancel', 'runs.control'],
] as const)

/** Methods whose answers may take long. */
const LONG: ReadonlySet<unknown> = new Set(['tools/call', 'subscriptions/listen'])

type Asked = Omit<AnyCall, 'caller' | 'query'> & {
  readonly caller: Caller
  readonly query: { stage?: string | undefined }
}

/** Takes one message and answers it. */
export function createEndpoint(services: Services): (asked: Asked, path: string) => Promise<Reply> {
  const inFlight = createInFlight()
  let answerer: Promise<Answerer> | undefined
  // A server that starts does not wait for it, and many are never spoken to this way.
  const load = (): Promise<Answerer> =>
    (answerer ??= import('./handler.ts').then(({ createAnswerer }) => createAnswerer(services)))

  return async (asked, path) => {
    const { caller, coverage, query, header, fault } = asked
    const read = await readMessage(asked)
    if ('status' in read) return read
    const { message, aside } = read
    const { method, id, params } = message
    const route = { method: 'POST', path }
    await requireRole(services, caller, NEEDS.get(method), route)
    const sender = JSON.stringify([caller.id, caller.client])
    if (method === 'notifications/cancelled') inFlight.cancel(sender, (params as { requestId?: unknown })?.requestId)
    const held = LONG.has(method) ? inFlight.begin(caller.tenant, sender, id) : null
    try {
      const signal = asked.signal()
      const visit: Visit = {
        caller,
        coverage,
        stage: query.stage,
        route,
        message,
        aside,
        idempotencyKey: idempotencyKeyOf(header('idempotency-key')),
        signal,
        cancelled: held?.cancelled ?? NEVER,
        fault,
      }
      const answer = await load()
      const request = new Request(asked.url(), { method: 'POST', headers: asked.request().headers, signal })
      const response = await answer(request, visit)
      // It would go on for ever, and take room of the tenant's.
      return await replyOf(response, asked.hold, held, method === 'subscriptions/listen' ? asked.lost : undefined)
    } catch (error) {
      held?.end()
      throw error
    }
  }
}

const NEVER = new AbortController().signal

/** The JSON-RPC message, or what is wrong with it. */
async function readMessage(asked: Asked): Promise<Weighed | Reply> {
  const { header, stream, request, hold } = asked
  const bytes = async (): Promise<Buffer> => Buffer.from(await request().arrayBuffer())
  const text = await readJsonText({ header, stream, bytes, hold }, LIMITS.requestBytes)
  let body: unknown
  try {
    body = await parseJson(text)
  } catch (error) {
    if (error instanceof SkilletError) return rpcFailure(400, -32_700, error.message)
    throw error
  }
  if (Array.isArray(body)) return rpcFailure(400, -32_600, 'Batches are not taken: send one message a request.')
  if (typeof body !== 'object' || body === null) return rpcFailure(400, -32_600, 'The body is no JSON-RPC message.')
  return weighed(body as Record<string, unknown>, text.length)
}

/** @throws SkilletError forbidden, which is audited */
async function requireRole(
  { authorizer, denials }: Pick<Services, 'authorizer' | 'denials'>,
  caller: Caller,
  operation: Operation | undefined,
  route: Visit['route'],
): Promise<void> {
  if (operation === undefined) return
  try {
    await authorizer.authorize(caller, operation, {})
  } catch (error) {
    if (error instanceof SkilletError) await denials.record(caller, { operation, ...route, target: {}, error })
    throw error
  }
}

/** @param held Until the last of the answer is sent. @param lost What ends it sooner. */
async function replyOf(
  response: Response,
  hold: AnyCall['hold'],
  held: ReturnType<InFlight['begin']> | null,
  lost: AnyCall['lost'] | undefined,
): Promise<Reply> {
  const { status, body } = response
  const type = response.headers.get('content-type') ?? 'application/json'
  if (body === null || !type.startsWith('text/event-stream')) {
    const content = await response.text()
    held?.end()
    return content === '' ? { status } : { status, type, content }
  }
  const over = new AbortController()
  const end = (): void => {
    held?.end()
    over.abort()
  }
  const stream = untilEnd(body, hold, end, lost?.(over.signal))
  return { status, type, stream, headers: { 'x-accel-buffering': 'no' } }
}

function untilEnd(
  body: ReadableStream<Uint8Array>,
  hold: AnyCall['hold'],
  end: () => void,
  lost: AbortSignal | undefined,
): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  // What is read then ends, and with it the answer; if it has failed, whoever reads is told.
  lost?.addEventListener('abort', () => void reader.cancel().catch(() => {}))
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read()
        if (!done) {
          hold(value.byteLength)
          return controller.enqueue(value)
        }
        end()
        controller.close()
      } catch (error) {
        end()
        void reader.cancel(error).catch(() => {})
        controller.error(error)
      }
    },
    cancel(reason) {
      end()
      return reader.cancel(reason)
    },
  })
}
