import { type Context, Hono } from 'hono'
import { withoutLinkTokens } from '../access/keys.ts'
import { SkilletError } from '../model/errors.ts'
import { AnyObject } from '../model/json.ts'
import { type ClientAddress, createClientAddress } from './client-address.ts'
import { type Env, failureReply, inDialect, mount } from './mount.ts'
import { describeApi } from './openapi.ts'
import { problemReply } from './problem.ts'
import { type Reply, toResponse } from './reply.ts'
import { type RequestLog, type Visit, arrive } from './request-log.ts'
import { type Route, route } from './route.ts'
import { activityRoutes } from './routes/activity.ts'
import { catalogueRoutes } from './routes/catalogue.ts'
import { auditRoutes } from './routes/audit.ts'
import { backupRoutes } from './routes/backup.ts'
import { deadLetterRoutes } from './routes/dead-letters.ts'
import { deploymentRoutes } from './routes/deployments.ts'
import { grantRoutes } from './routes/grants.ts'
import { invokeRoutes } from './routes/invoke.ts'
import { keyRoutes } from './routes/keys.ts'
import { linkRoutes } from './routes/links.ts'
import { metricsRoutes } from './routes/metrics.ts'
import { queueRoutes } from './routes/queues.ts'
import { runRoutes } from './routes/runs.ts'
import { scheduleRoutes } from './routes/schedules.ts'
import { secretRoutes } from './routes/secrets.ts'
import { serverRoutes } from './routes/server.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { signatureRoutes } from './routes/signatures.ts'
import { skillRoutes } from './routes/skills.ts'
import { stageRoutes } from './routes/stages.ts'
import { tenantRoutes } from './routes/tenants.ts'
import { uploadRoutes } from './routes/uploads.ts'
import { usageRoutes } from './routes/usage.ts'
import { versionRoutes } from './routes/versions.ts'
import { deliveryRoutes } from './routes/deliveries.ts'
import { webhookRoutes } from './routes/webhooks.ts'
import { NO_TRACING, type Tracing } from '../telemetry/tracing.ts'
import type { Services } from './services.ts'
import { createPayloadRoom } from './payload-room.ts'
import { type StreamTimes, createEventStreams } from './sse.ts'
import { type ThrottleOptions, createThrottle } from './throttle.ts'

export type App = Hono<Env>

export interface AppOptions extends ThrottleOptions, StreamTimes {
  /** Aborted when the server stops: waits and streams end, nothing new is begun. Default: never. */
  readonly stopping?: AbortSignal
  /** Event streams that a tenant may have open. Default LIMITS.streamsPerTenant. */
  readonly streamsPerTenant?: number
  /** Bytes of large bodies and answers that may be under way. Defaults: LIMITS.payloadBytes and LIMITS.tenantPayloadBytes. */
  readonly payloads?: Parameters<typeof createPayloadRoom>[0] | undefined
  /** Routes of other dialects, made of the same services; those that speak as we do are documented. Default: none. */
  readonly dialects?: (services: Services) => readonly Route[]
  /** Of the software, for the document. Default 0.0.0. */
  readonly version?: string
  /** Told of faults of ours with the id that the caller got. Default: to stderr. */
  readonly onFault?: (error: unknown, requestId: string) => void
  /** Told of each request when it has ended. Default: nobody is. */
  readonly requestLog?: RequestLog | undefined
  /** Default: the socket's address. */
  readonly clientOf?: ClientAddress
  /** Where spans of requests go. Default: nowhere. */
  readonly tracing?: Tracing
}

/** The native HTTP interface (DESIGN 8). Every route is in the OpenAPI document that it serves. */
export function createApp(services: Services, options: AppOptions = {}): App {
  const { stopping = new AbortController().signal, onFault = toStderr, requestLog, tracing = NO_TRACING } = options
  const app: App = new Hono<Env>()
  const streams = createEventStreams({ ...options, stopping, perTenant: options.streamsPerTenant })
  const room = createPayloadRoom(options.payloads)
  const metrics: Services['metrics'] = () => services.metrics(streams.count())
  const others = options.dialects?.(services) ?? []
  const routes = [...allRoutes({ ...services, metrics }, options, stopping, others), ...others]
  const { authorizer, denials } = services
  const auth = createThrottle(services.auth, options)
  const observers = { clientOf: options.clientOf ?? createClientAddress(), requestLog }
  const guards = { auth, identify: services.auth, authorizer, denials }
  for (const one of routes) mount(app, one, { ...guards, streams, room, tracing, stopping, onFault, ...observers })
  app.notFound((c) => {
    const visit = arrive(c.env, null, observers)
    return toResponse(missing(routes, c, visit), visit.request_id)
  })
  app.onError((error, c) => {
    const { request_id } = arrive(c.env, null, observers)
    return toResponse(failureReply(error, request_id, { onFault }), request_id)
  })
  return app
}

/** @param others Served elsewhere; documented here. */
function allRoutes(services: Services, options: AppOptions, stopping: AbortSignal, others: readonly Route[]): Route[] {
  const { version = '0.0.0' } = options
  const routes = [
    ...skillRoutes(services),
    ...stageRoutes(services),
    ...uploadRoutes(services),
    ...deploymentRoutes(services),
    ...versionRoutes(services),
    ...signatureRoutes(services),
    ...catalogueRoutes(services),
    ...invokeRoutes(services),
    ...runRoutes(services),
    ...activityRoutes(services),
    ...queueRoutes(services),
    ...deadLetterRoutes(services),
    ...sessionRoutes(services),
    ...scheduleRoutes(services),
    ...webhookRoutes(services),
    ...deliveryRoutes(services),
    ...keyRoutes(services),
    ...grantRoutes(services),
    ...linkRoutes(services),
    ...secretRoutes(services),
    ...tenantRoutes(services),
    ...usageRoutes(services),
    ...auditRoutes(services),
    ...metricsRoutes(services),
    ...backupRoutes(services),
    ...serverRoutes(services, stopping),
  ]
  let document: string | undefined
  const documented = (): Route[] => [...routes, ...others.filter(({ dialect }) => dialect === undefined), openapi]
  const openapi: Route = route({
    id: 'getOpenapi',
    tag: 'server',
    method: 'GET',
    path: '/openapi.json',
    access: 'public',
    summary: 'This document',
    responses: { 200: { description: 'OpenAPI 3.1.', schema: AnyObject } },
    errors: [],
    // Made when first asked for: a server that starts has better things to do.
    handle: () => ({ status: 200, content: (document ??= JSON.stringify(describeApi(documented(), version))) }),
  })
  return [...routes, openapi]
}

/** What is not served: the path, or only the method, which is said in the dialect of the path. */
function missing(routes: readonly Route[], c: Context<Env>, visit: Visit): Reply {
  const path = withoutLinkTokens(c.req.path)
  const served = routes.filter((one) => patternOf(one.path).test(path))
  const [first] = served
  if (first === undefined) {
    return problemReply(new SkilletError('not_found', `Nothing is served at ${path.slice(0, 200)}.`), visit.request_id)
  }
  const allowed = served.map((one) => one.method)
  const methods = allowed.includes('GET') ? [...allowed, 'HEAD'] : allowed
  const error = new SkilletError('method_not_allowed', `${c.req.method} is not served at ${path.slice(0, 200)}.`)
  const reply = problemReply(error, visit.request_id, { allow: methods.join(', ') })
  return first.dialect === undefined ? reply : inDialect(first.dialect, c, visit, error, reply)
}

const patternOf = (path: string): RegExp =>
  new RegExp(
    `^${path
      .replaceAll('.', '\\.')
      .replaceAll(/\{\w+\}/g, '[^/]+')
      .replaceAll(/\{\w+\+\}/g, '.+')}$`,
  )

function toStderr(error: unknown, requestId: string): void {
  console.error(`request ${requestId} failed:`, error)
}
