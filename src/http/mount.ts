import { ServerResponse } from 'node:http'
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Context, Hono } from 'hono'
import type { Authenticator } from '../access/authenticate.ts'
import type { Authorizer } from '../access/authorize.ts'
import type { Coverage } from '../model/coverage.ts'
import type { Denials } from '../access/denials.ts'
import type { Operation } from '../access/permissions.ts'
import type { Caller } from '../model/access.ts'
import { SkilletError } from '../model/errors.ts'
import { LIMITS } from '../model/sizes.ts'
import { departure, interrupted } from './interruption.ts'
import { bodyStream } from './body-stream.ts'
import { check, parseJson, readJsonText } from './body.ts'
import { authorizationOf, paramsOf, routerPath } from './path-params.ts'
import { problemReply } from './problem.ts'
import { RateLimited } from './rate-limit.ts'
import type { Live } from './live.ts'
import { type Hold, type PayloadRoom, holdFor } from './payload-room.ts'
import { type Admittance, recheckOf } from './recheck.ts'
import { type Reply, partsOf, toResponse } from './reply.ts'
import { type Observers, type Visit, arrive } from './request-log.ts'
import { type AnyCall, type Dialect, type Route } from './route.ts'
import type { EventStreams, OpenStream } from './sse.ts'
import type { Throttle } from './throttle.ts'
import type { Span, Tracing } from '../telemetry/tracing.ts'

/** The bindings are empty when the app is called without a socket. */
export type Env = { Bindings: Partial<HttpBindings> }

export interface MountOptions extends Observers {
  readonly auth: Throttle
  /** As `auth`, for who is let in already. */
  readonly identify: Pick<Authenticator, 'authenticate'>
  readonly authorizer: Pick<Authorizer, 'authorize'>
  readonly denials: Pick<Denials, 'record'>
  readonly tracing: Tracing
  readonly streams: EventStreams
  readonly room: PayloadRoom
  /** Aborted when the server stops: from then on nothing new is begun. */
  readonly stopping: AbortSignal
  /** Told of faults of ours; the caller only gets the request id. */
  readonly onFault: (error: unknown, requestId: string) => void
}

/** Serves the route: authenticate, authorize, read and check, handle; whatever is thrown becomes a problem. */
export function mount(app: Hono<Env>, route: Route, options: MountOptions): void {
  app.on(route.method, routerPath(route.path), async (c) => {
    const visit = arrive(c.env, route.path, options)
    const { request_id } = visit
    const attributes = { 'http.request.method': route.method, 'http.route': route.path, 'skillet.request': request_id }
    const parent = c.req.header('traceparent')
    return options.tracing.span(
      `${route.method} ${route.path}`,
      { kind: 'server', parent, attributes },
      async (span) => {
        const reply = await answer(c, route, options, visit, span)
        span.set({ 'http.response.status_code': reply.status })
        if (reply.status >= 500) span.fail(String(reply.status))
        const { outgoing } = c.env
        // The answer to HEAD is the head alone.
        if (reply.open === undefined || !(outgoing instanceof ServerResponse) || c.env.incoming?.method === 'HEAD') {
          return toResponse(reply, request_id)
        }
        options.streams.send(outgoing, partsOf(reply, request_id), reply.open)
        return RESPONSE_ALREADY_SENT
      },
    )
  })
}

/** What is answered, and what makes an event stream of it. */
type Answer = Reply & { readonly open?: OpenStream }

/** Never rejects. */
async function answer(c: Context<Env>, route: Route, options: MountOptions, visit: Visit, span: Span): Promise<Answer> {
  try {
    return written(await serve(c, route, options, visit, span), holdOf(c, options, visit))
  } catch (error) {
    const reply = failureReply(interrupted(error, c, options.stopping) ?? error, visit.request_id, options)
    return route.dialect === undefined ? reply : inDialect(route.dialect, c, visit, error, reply)
  }
}

/** What the tenant that is known by then holds; another one than this request's own has nothing to do with it. */
function holdOf(c: Context<Env>, { room }: MountOptions, { tenant }: Visit): Hold {
  const { outgoing } = c.env
  return holdFor(room, tenant ?? '', outgoing instanceof ServerResponse ? outgoing : undefined)
}

/** With its body as it is sent, and room for that. @throws RateLimited */
function written(reply: Answer, hold: Hold): Answer {
  const { body, smaller, ...rest } = reply
  const content = body === undefined ? rest.content : JSON.stringify(body)
  try {
    hold(rest.bytes?.byteLength ?? content?.length ?? 0)
  } catch (error) {
    if (smaller === undefined) throw error
    return smaller
  }
  return content === undefined ? rest : { ...rest, content }
}

/** @returns The problem to answer with; a fault of ours is told to `onFault` and shows nothing of itself. */
export function failureReply(error: unknown, requestId: string, options: Pick<MountOptions, 'onFault'>): Reply {
  if (error instanceof RateLimited) return problemReply(error, requestId, error.headers)
  if (error instanceof SkilletError) return problemReply(error, requestId)
  options.onFault(error, requestId)
  return problemReply(new SkilletError('internal', 'The request could not be completed.'), requestId)
}

/** Faults of ours are told as what the caller gets of them anyway. */
export function inDialect(
  dialect: Dialect,
  c: Context<Env>,
  { request_id: id }: Visit,
  error: unknown,
  native: Reply,
): Reply {
  const header = (name: string): string | undefined => c.req.header(name)
  const known = error instanceof SkilletError
  const told = known ? error : new SkilletError('internal', 'The request could not be completed.')
  return dialect.failure(told, { id, header, url: new URL(c.req.url) }, native.headers ?? {})
}

async function serve(c: Context<Env>, route: Route, options: MountOptions, visit: Visit, span: Span): Promise<Answer> {
  const { stopping } = options
  const open = route.access === 'public'
  if (stopping.aborted && !open) throw new SkilletError('unavailable', 'The server is stopping.')
  const from = { request_id: visit.request_id, client: visit.client }
  const header = (name: string): string | undefined => c.req.header(name)
  const authorization = authorizationOf(c, route, header)
  const principal = open ? null : await options.auth.authenticate(authorization, visit.client)
  if (principal !== null) {
    visit.principal = principal.id
    visit.tenant = principal.tenant
  }
  const params = paramsOf(c, route)
  const caller = principal === null ? null : { ...principal, ...from, trace: span.traceparent }
  const coverage = caller === null ? null : await allow(caller, route, params, options)
  const hold = holdOf(c, options, visit)
  const stream = (): AsyncIterable<Uint8Array> => bodyStream(c.env.incoming, c.req.raw)
  let text = ''
  let body: unknown
  if (route.body !== undefined) {
    const bytes = async () => Buffer.from(await c.req.arrayBuffer())
    text = await readJsonText({ header, stream, bytes, hold }, route.maxBytes ?? LIMITS.bodyBytes)
    if (text === '' && route.bodyOptional !== true) throw new SkilletError('bad_request', 'The request has no body.')
    body = check(route.body, text === '' ? {} : await parseJson(text), 'body')
  }
  const admitted = { coverage, params, authorization }
  const call: AnyCall = {
    caller,
    coverage,
    from,
    params,
    query: route.query === undefined ? undefined : check(route.query, c.req.query(), 'query'),
    body,
    text,
    url: () => new URL(c.req.url),
    header,
    request: () => c.req.raw,
    stream,
    hold,
    fault: (error) => options.onFault(error, visit.request_id),
    signal: () => departure(c, stopping),
    lost(over) {
      if (caller === null) return NEVER
      const recheck = recheckOf(options, { ...admitted, caller, operation: route.access as Operation })
      return options.streams.watch({ recheck, onFault: call.fault }, over)
    },
  }
  const reply = await route.handle(call)
  if (reply.live === undefined || caller === null) return reply
  return { ...reply, open: opened(reply.live, { ...admitted, caller }, route, options) }
}

const NEVER = new AbortController().signal

/** @throws RateLimited when the tenant has as many streams as it may. */
function opened(
  live: Live,
  admitted: Omit<Admittance, 'operation'>,
  { access }: Route,
  options: MountOptions,
): OpenStream {
  const { tenant, request_id } = admitted.caller
  options.streams.require(tenant)
  return {
    live,
    tenant,
    recheck: recheckOf(options, { ...admitted, operation: access as Operation }),
    onFault: (error) => options.onFault(error, request_id),
  }
}

/** What of a list the caller may see, or the refusal, which is audited. */
async function allow(
  caller: Caller,
  route: Route,
  target: Readonly<Record<string, string>>,
  { authorizer, denials }: MountOptions,
): Promise<Coverage | null> {
  const operation = route.access as Operation
  try {
    // Its own routes know its stage and what is not its tenant's to hand on; those that take keys do not.
    if (caller.kind === 'link' && route.dialect?.credential === undefined) {
      throw new SkilletError(
        'forbidden',
        'A link is no key: skills are fetched by its URL, and nothing is done with it.',
      )
    }
    return await authorizer.authorize(caller, operation, target)
  } catch (error) {
    if (error instanceof SkilletError && error.code !== 'not_found') {
      await denials.record(caller, { operation, method: route.method, path: route.path, target, error })
    }
    throw error
  }
}
