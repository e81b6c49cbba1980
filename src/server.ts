import { readFile, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bootstrap, bootstrapOperator, operatorKeyFile, ownerKeyFile } from './access/bootstrap.ts'
import { readKeyFile } from './access/key-file.ts'
import type { IssuerConfig } from './access/oidc-config.ts'
import { openDiskBlobs } from './backends/disk/disk-blobs.ts'
import { openSqliteEngine } from './backends/sql/sql-engine.ts'
import { BANNER, requireDevelopment } from './development-mode.ts'
import { now } from './model/json.ts'
import { listensAt } from './net/listens-at.ts'
import { forbidCoreDumps } from './runtime/core-dumps.ts'
import { machineMemoryMb } from './runtime/machine-memory.ts'
import type { RunningServer, ServerOptions } from './server-options.ts'
import { openSandboxes } from './server-sandboxes.ts'
import { createLateMetrics } from './telemetry/late-metrics.ts'
import { startTracing } from './telemetry/start-tracing.ts'
import { type Swept, createSweeper } from './upkeep/sweeper.ts'

export type { Allowance, LogEntry, RunningServer, ServerOptions } from './server-options.ts'
export type { RequestLogEntry } from './http/request-log.ts'

/**
 * The composition root: the one place where the rooms are put together and a backend is chosen.
 * @throws OidcConfigError when that file cannot be used; NetworkListError; DataFolderInUse when another server owns the folder; SandboxError when there is no bubblewrap; the socket's error.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { dataDir, developmentWithoutIsolation: bare = false, log } = options
  const onError = (error: unknown, doing: string): void =>
    log({ at: now(), level: 'error', message: `${doing}: ${errorText(error)}` })
  const info = (message: string, fields: object = {}): void => log({ at: now(), level: 'info', message, ...fields })
  // Sandboxes run as other users and have to read what is made for them; what is private is made with a mode of its own.
  process.umask(0o022)
  // Before the server sits in a cgroup of its own, in which nothing is said of memory.
  const machine_mb = machineMemoryMb()
  const dumpless = forbidCoreDumps().catch((error: unknown) => onError(error, 'forbidding core dumps'))
  // What was opened is closed in the opposite order, also when starting fails half-way.
  const open = new AsyncDisposableStack()
  try {
    const version = await packageVersion()
    const tracing = open.adopt(
      await startTracing(process.env, version, (error) => onError(error, 'sending traces')),
      (it) => it.stop(),
    )
    const metrics = createLateMetrics()
    const issuers = options.oidcFile === undefined ? [] : await readIssuers(options.oidcFile)
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
    if (bare) {
      requireDevelopment(options, await engine.access.countTenants())
      log({ at: now(), level: 'error', message: BANNER })
    }
    const sandboxParts = { blobs, machine_mb, own: () => listensAt(url), metrics, info, onError }
    const sandboxes = open.adopt(await openSandboxes(sandboxParts, options), (it) => it.close())

    const owner = await bootstrap({ engine, dataDir })
    const operator = await bootstrapOperator({ engine, dataDir })
    if (operator !== null) info(`a key for the operator was made: ${operator.file}`)

    const parts = { engine, blobs, sandboxes, sweeper, issuers, tracing, metrics, version, url: () => url, onError }
    // Loaded while the sandbox is being examined, which is waiting for other processes.
    const { openServices } = await import('./server-services.ts')
    const services = open.adopt(await openServices(parts, options), (it) => it.close())
    url = services.url
    const { validator, worker, ticker, dispatcher } = services
    const { gate, networks } = sandboxes

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
    const loading = setTimeout(() => {
      metrics.load().catch((error: unknown) => onError(error, 'loading the metrics'))
    }, METRICS_MS).unref()
    open.defer(() => clearTimeout(loading))
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

/** After the start, in milliseconds: who waits for the server has better use for it. What is measured before is kept until then. */
const METRICS_MS = 1000

/** Loaded for those who have such a file. */
async function readIssuers(file: string): Promise<readonly IssuerConfig[]> {
  const { readOidcFile } = await import('./access/oidc-config.ts')
  return readOidcFile(file)
}

async function packageVersion(): Promise<string> {
  const manifest = await readFile(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

function errorText(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
