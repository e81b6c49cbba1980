import { join } from 'node:path'
import { openAccess } from './access/open-access.ts'
import type { IssuerConfig } from './access/oidc-config.ts'
import type { DiskBlobs } from './backends/disk/disk-blobs.ts'
import { openMasterKeys } from './backends/disk/master-key.ts'
import { readSecret } from './backends/disk/signing.ts'
import type { SqlEngine } from './backends/sql/sql-engine.ts'
import { dialectRoutes } from './dialects/all-routes.ts'
import { createApp } from './http/app.ts'
import { createClientAddress } from './http/client-address.ts'
import { createCursorSeal } from './http/cursor-seal.ts'
import type { RequestLogEntry } from './http/request-log.ts'
import { serve } from './http/serve.ts'
import { publicUrlOf } from './http/site.ts'
import type { PackageValidator } from './packages/validate.ts'
import { createQuotasService } from './quotas/service.ts'
import { createActivityFeed } from './runs/activity-feed.ts'
import { createSessionsService } from './runs/sessions.ts'
import type { RunWorker } from './runs/worker.ts'
import type { Ticker } from './schedules/ticker.ts'
import { createSchemaValidator } from './schemas/json-schema-validator.ts'
import { withRedactor } from './secrets/redaction.ts'
import { createSecretsService } from './secrets/service.ts'
import type { ServerOptions } from './server-options.ts'
import { openPackages } from './server-packages.ts'
import { openRuns } from './server-runs.ts'
import type { Sandboxes } from './server-sandboxes.ts'
import { createSigning } from './skills/signing.ts'
import { createSkillsService } from './skills/service.ts'
import type { createLateMetrics } from './telemetry/late-metrics.ts'
import type { Tracing } from './telemetry/tracing.ts'
import { openBackups } from './upkeep/backups.ts'
import { checkDisks } from './upkeep/disk-check.ts'
import type { Sweeper } from './upkeep/sweeper.ts'
import type { Dispatcher } from './webhooks/dispatcher.ts'
import { openWebhooks } from './webhooks/open-webhooks.ts'

/** What callers speak to, and what does what they ask for. It listens; nothing begins by itself before it is told to. */
export interface ServerServices {
  readonly url: string
  readonly validator: PackageValidator
  readonly worker: RunWorker
  readonly ticker: Ticker
  readonly dispatcher: Dispatcher
  close(): Promise<void>
}

/** @throws NetworkListError; the socket's error. */
export async function openServices(
  parts: {
    readonly engine: SqlEngine
    readonly blobs: DiskBlobs
    readonly sandboxes: Sandboxes
    readonly sweeper: Sweeper
    readonly issuers: readonly IssuerConfig[]
    readonly tracing: Tracing
    readonly metrics: ReturnType<typeof createLateMetrics>
    readonly version: string
    /** Of the server, once it is known. */
    readonly url: () => string
    readonly onError: (error: unknown, doing: string) => void
  },
  options: ServerOptions,
): Promise<ServerServices> {
  const { engine, blobs, sandboxes, sweeper, issuers, tracing, metrics, version, url, onError } = parts
  const { places, room, pool, tools, gate, networks } = sandboxes
  const { dataDir, warmUp = true, developmentWithoutIsolation: bare = false } = options
  const requestLog = (entry: RequestLogEntry): void => {
    metrics.request(entry)
    options.requestLog?.(entry)
  }
  const publicUrl = options.publicUrl === undefined ? null : publicUrlOf(options.publicUrl)
  const observers = { clientOf: createClientAddress(options.trustProxies), requestLog }
  await using open = new AsyncDisposableStack()
  const backups = await openBackups({ dataDir, engine, blobs, hold: sweeper.hold, version, onError })
  const vault = engine.vault(await openMasterKeys({ dataDir, given: options.masterKey }))
  const secrets = createSecretsService({ engine, vault, environment: options.environment ?? 'dev', onError })

  const schemas = open.adopt(createSchemaValidator(), (it) => it.close())
  const packageParts = { dataDir, engine, blobs, places, driver: tools, schemas, onError }
  const validator = open.adopt(await openPackages(packageParts), (it) => it.close())

  const { webhooks, dispatcher } = openWebhooks({
    engine,
    findSecret: secrets.find,
    secretOf: async (tenant, id) => (await secrets.resolve(tenant, { SECRET: id })).env['SECRET']!,
    networks: options.webhookNetworks,
    dnsServers: options.dnsServers,
    url,
    version,
    graceMs: options.graceMs,
    attempted: metrics.attempted,
    onError,
  })
  open.defer(() => dispatcher.stop())

  const skills = createSkillsService({
    engine,
    blobs,
    validator,
    requireIsolation: gate.require,
    referToSecrets: secrets.refer,
    listener: {
      activated: ({ deployment, previous }) => {
        if (previous !== null) pool.retire(previous)
        if (warmUp) void pool.warmUp(deployment)
      },
      retired: (deployment) => pool.retire(deployment),
    },
  })
  const { runs, schedules, worker, ticker } = openRuns(
    {
      engine,
      pool,
      schemas,
      secrets: withRedactor(secrets.resolve),
      tracing,
      metrics,
      findStage: skills.stages.find,
      requireIsolation: gate.require,
      onError,
    },
    options,
  )
  open.defer(() => worker.stop())
  open.defer(() => ticker.stop())

  const stopping = new AbortController()
  const access = open.adopt(await openAccess({ engine, issuers, publicUrl, oneTenant: bare, onError }), (it) =>
    it.close(),
  )
  const app = createApp(
    {
      ...access,
      site: { publicUrl, listening: url, version, issuers },
      secrets,
      signing: createSigning({ store: engine.signing, vault, environment: options.environment ?? 'dev' }),
      skills,
      blobs,
      files: validator.files,
      runs,
      sessions: createSessionsService({ engine, pool }),
      audit: engine.audit,
      activity: createActivityFeed(engine.activity, { onError }),
      cursors: createCursorSeal(await readSecret(join(dataDir, 'upload.key'))),
      schedules,
      webhooks,
      quotas: createQuotasService({ engine }),
      events: engine.runs,
      backups,
      metrics: (streams = 0) =>
        metrics.render({
          version,
          gauges: engine.gauges,
          sessions: pool.stats,
          room: room.state,
          streams: () => streams,
        }),
      verifyUpload: blobs.verifyUpload,
      checks: () => [
        { name: 'state', check: () => engine.check() },
        { name: 'vault', check: () => vault.check() },
        { name: 'disk', check: () => checkDisks({ 'the data folder': dataDir, 'the sandboxes': places.root }) },
        { name: 'worker', check: worker.check },
        { name: 'schedules', check: ticker.check },
        { name: 'webhooks', check: dispatcher.check },
        ...gate.checks(),
        // Where nothing may run none is tried.
        ...(gate.passed() ? networks.checks() : []),
      ],
    },
    {
      stopping: stopping.signal,
      version,
      dialects: dialectRoutes,
      tracing,
      onFault: (error, id) => onError(error, `request ${id}`),
      rateLimit: options.rateLimit,
      failureLimit: options.failureLimit,
      ...observers,
    },
  )
  const address = { host: options.host ?? '127.0.0.1', port: options.port ?? 8787 }
  const listening = open.adopt(await serve(app, { ...address, stopping, ...observers }), (it) => it.close())
  const opened = open.move()
  return { url: listening.url, validator, worker, ticker, dispatcher, close: () => opened.disposeAsync() }
}
