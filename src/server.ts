import { readFile, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bootstrap, bootstrapOperator, operatorKeyFile, ownerKeyFile } from './access/bootstrap.ts'
import { readKeyFile } from './access/key-file.ts'
import { readOidcFile } from './access/oidc-config.ts'
import { openAccess } from './access/open-access.ts'
import { openDiskBlobs } from './backends/disk/disk-blobs.ts'
import { openMasterKeys } from './backends/disk/master-key.ts'
import { readSecret } from './backends/disk/signing.ts'
import { openSqliteEngine } from './backends/sql/sql-engine.ts'
import { createApp } from './http/app.ts'
import { createClientAddress } from './http/client-address.ts'
import { createCursorSeal } from './http/cursor-seal.ts'
import type { RequestLogEntry } from './http/request-log.ts'
import { serve } from './http/serve.ts'
import { BANNER, requireDevelopment } from './development-mode.ts'
import { now } from './model/json.ts'
import { listensAt } from './net/listens-at.ts'
import { createQuotasService } from './quotas/service.ts'
import { createActivityFeed } from './runs/activity-feed.ts'
import { createSessionsService } from './runs/sessions.ts'
import { forbidCoreDumps } from './runtime/core-dumps.ts'
import { machineMemoryMb } from './runtime/machine-memory.ts'
import { createSchemaValidator } from './schemas/json-schema-validator.ts'
import { withRedactor } from './secrets/redaction.ts'
import { createSecretsService } from './secrets/service.ts'
import type { RunningServer, ServerOptions } from './server-options.ts'
import { openPackages } from './server-packages.ts'
import { openRuns } from './server-runs.ts'
import { openSandboxes } from './server-sandboxes.ts'
import { createSkillsService } from './skills/service.ts'
import { createLateMetrics } from './telemetry/late-metrics.ts'
import { startTracing } from './telemetry/start-tracing.ts'
import { openBackups } from './upkeep/backups.ts'
import { checkDisks } from './upkeep/disk-check.ts'
import { type Swept, createSweeper } from './upkeep/sweeper.ts'
import { openWebhooks } from './webhooks/open-webhooks.ts'

export type { Allowance, LogEntry, RunningServer, ServerOptions } from './server-options.ts'
export type { RequestLogEntry } from './http/request-log.ts'

/**
 * The composition root: the one place where the rooms are put together and a backend is chosen.
 * @throws OidcConfigError when that file cannot be used; NetworkListError; DataFolderInUse when another server owns the folder; SandboxError when there is no bubblewrap; the socket's error.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { dataDir, warmUp = true, log } = options
  const onError = (error: unknown, doing: string): void =>
    log({ at: now(), level: 'error', message: `${doing}: ${errorText(error)}` })
  const info = (message: string, fields: object = {}): void => log({ at: now(), level: 'info', message, ...fields })
  // Sandboxes run as other users and have to read what is made for them; what is private is made with a mode of its own.
  process.umask(0o022)
  // Before the server sits in a cgroup of its own, in which nothing is said of memory.
  const machine_mb = machineMemoryMb()
  // What was opened is closed in the opposite order, also when starting fails half-way.
  const open = new AsyncDisposableStack()
  try {
    const version = await packageVersion()
    const tracing = open.adopt(
      await startTracing(process.env, version, (error) => onError(error, 'sending traces')),
      (it) => it.stop(),
    )
    const metrics = createLateMetrics()
    const requestLog = (entry: RequestLogEntry): void => {
      metrics.request(entry)
      options.requestLog?.(entry)
    }
    const observers = { clientOf: createClientAddress(options.trustProxies), requestLog }
    const issuers = options.oidcFile === undefined ? [] : await readOidcFile(options.oidcFile)
    let url = ''
    const engine = open.adopt(await openSqliteEngine({ folder: dataDir, observer: metrics.engine }), (it) => it.close())
    const blobOptions = { folder: join(dataDir, 'blobs'), secretFile: join(dataDir, 'upload.key'), baseUrl: () => url }
    const blobs = open.adopt(await openDiskBlobs(blobOptions), (it) => it.close())
    const onSwept = (swept: Swept): void => {
      for (const [kind, count] of Object.entries(swept)) metrics.swept(kind, count)
      info('what was over and old was removed', swept)
    }
    const sweeper = open.adopt(createSweeper({ store: engine.upkeep, blobs: blobs.shelves, onSwept, onError }), (it) =>
      it.stop(),
    )
    const backups = await openBackups({ dataDir, engine, blobs, hold: sweeper.hold, version, onError })
    const owner = await bootstrap({ engine, dataDir })
    const operator = await bootstrapOperator({ engine, dataDir })
    if (operator !== null) info(`a key for the operator was made: ${operator.file}`)

    const { developmentWithoutIsolation: bare = false } = options
    if (bare) {
      requireDevelopment(options, await engine.access.countTenants())
      log({ at: now(), level: 'error', message: BANNER })
    }

    const vault = engine.vault(await openMasterKeys({ dataDir, given: options.masterKey }))
    const secrets = createSecretsService({ engine, vault, environment: options.environment ?? 'dev', onError })

    const sandboxParts = { blobs, machine_mb, own: () => listensAt(url), metrics, info, onError }
    const sandboxes = open.adopt(await openSandboxes(sandboxParts, options), (it) => it.close())
    const { places, room, pool, tools, gate, networks } = sandboxes
    const dumpless = forbidCoreDumps().catch((error: unknown) => onError(error, 'forbidding core dumps'))

    const schemas = open.adopt(createSchemaValidator(), (it) => it.close())
    const packageParts = { dataDir, engine, blobs, places, driver: tools, schemas, onError }
    const validator = open.adopt(await openPackages(packageParts), (it) => it.close())

    const { webhooks, dispatcher } = openWebhooks({
      engine,
      findSecret: secrets.find,
      secretOf: async (tenant, id) => (await secrets.resolve(tenant, { SECRET: id })).env['SECRET']!,
      networks: options.webhookNetworks,
      dnsServers: options.dnsServers,
      url: () => url,
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
    const access = open.adopt(await openAccess({ engine, issuers, oneTenant: bare, onError }), (it) => it.close())
    const app = createApp(
      {
        ...access,
        secrets,
        skills,
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
        tracing,
        onFault: (error, id) => onError(error, `request ${id}`),
        rateLimit: options.rateLimit,
        failureLimit: options.failureLimit,
        ...observers,
      },
    )
    const address = { host: options.host ?? '127.0.0.1', port: options.port ?? 8787 }
    const listening = open.adopt(await serve(app, { ...address, stopping, ...observers }), (it) => it.close())
    url = listening.url

    const abandoned = await engine.runs.recover()
    if (abandoned > 0) info(`${abandoned} run(s) of a server that was killed are taken up again`)
    const unsent = await engine.webhooks.recoverDeliveries()
    if (unsent > 0) info(`${unsent} webhook(s) that a server was killed over are sent again`)
    sweeper.start()
    // What has happened is told whatever the machine can isolate.
    dispatcher.start()
    await Promise.all([sandboxes.examined, dumpless])
    // Runs begin here, so that a server that answers its starter is a server that works.
    if (gate.passed()) {
      worker.start()
      ticker.start()
      await validator.resume()
    }
    const serverFile = join(dataDir, 'server.json')
    // All or nothing: a command line may look at any moment.
    await writeFile(`${serverFile}.new`, JSON.stringify({ url, pid: process.pid, started_at: now() }), { mode: 0o600 })
    await rename(`${serverFile}.new`, serverFile)
    open.defer(() => rm(serverFile, { force: true }))
    metrics.load().catch((error: unknown) => onError(error, 'loading the metrics'))
    let stopped: Promise<void> | null = null
    info(`listening at ${url}`, { data: await realpath(dataDir) })
    if (gate.passed()) {
      networks.prove().catch((error: unknown) => {
        if (stopped === null) onError(error, 'trying a network list')
      })
    }

    return {
      url,
      key: owner?.key ?? (await readKeyFile(ownerKeyFile(dataDir))),
      operatorKey: operator?.key ?? (await readKeyFile(operatorKeyFile(dataDir))),
      firstStart: owner !== null,
      sweep: sweeper.sweep,
      stop: () => (stopped ??= open.disposeAsync()),
    }
  } catch (error) {
    await open.disposeAsync()
    throw error
  }
}

async function packageVersion(): Promise<string> {
  const manifest = await readFile(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

function errorText(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
