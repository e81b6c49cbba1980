import { once } from 'node:events'
import { resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { Allowance, LogEntry } from '../../server.ts'
import { type Call, type Cli, action } from '../call.ts'
import { CliError } from '../cli-error.ts'
import { EXIT } from '../exit-codes.ts'
import { createRequestLines } from '../request-lines.ts'
import { requireLinux } from '../require-linux.ts'

interface Options {
  readonly host: string
  readonly port: number
  readonly warmUp: boolean
  readonly oidc?: string
  readonly publicUrl?: string
  readonly log?: 'json' | 'text' | 'off'
  readonly rateLimit?: { perSecond: number; burst: number } | null
  readonly trustProxy?: string[]
  readonly webhookNetwork?: string[]
  readonly skillNetwork?: string[]
  readonly dnsServer?: string[]
  readonly lease?: number
  readonly grace?: number
  readonly concurrency?: number
  readonly longConcurrency?: number
  readonly memoryFactor?: number
  readonly maxSessions?: number
  readonly maxSessionsPerTenant?: number
  readonly allow?: Allowance[]
  readonly driver?: 'bwrap' | 'runsc'
  readonly developmentWithoutIsolation?: boolean
}

export function serveCommand(cli: Cli): Command {
  return new Command('serve')
    .description('run a server in the foreground, with its data in --data, SKILLET_DATA or ./.skillet')
    .option('--host <address>', 'address to listen on; anything but 127.0.0.1 opens it to the network', '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0 takes a free one', portOf, 8787)
    .option(
      '--public-url <url>',
      'where the world finds this server, such as https://skills.example.com; default: SKILLET_PUBLIC_URL, else only by its addresses',
    )
    .option('--oidc <file>', 'accept tokens of the issuers that this JSON file names; default: SKILLET_OIDC, else none')
    .addOption(
      new Option('--log <format>', 'one line per request on stderr; default: json, on a terminal text').choices([
        'json',
        'text',
        'off',
      ]),
    )
    .option(
      '--rate-limit <number>',
      'requests a second of one key, twice as many at once; off: any; default: 2000',
      rateOf,
    )
    .option('--trust-proxy <address...>', 'believe X-Forwarded-For of these addresses or networks')
    .option('--webhook-network <address...>', 'let webhooks go to these addresses or networks, which are not public')
    .option(
      '--skill-network <address...>',
      'let names of network lists be at these addresses or networks, which are not public',
    )
    .option(
      '--dns-server <address...>',
      'look up hosts of webhooks and of network lists with these servers; default: those of the machine',
    )
    .option(
      '--lease <seconds>',
      'begin a run again when its server shows no sign of life for so long; default: 30',
      leaseOf,
    )
    .option(
      '--grace <seconds>',
      'when it is stopped, let runs end for so long before they are handed back to the queue; default: 10',
      graceOf,
    )
    .option('--concurrency <runs>', 'execute so many short runs (sizes S and M) at once; default: 8', countOf)
    .option('--long-concurrency <runs>', 'execute so many long runs (sizes L and XL) at once; default: 4', countOf)
    .addOption(
      new Option('--allow <names...>', 'accept what a server with SKILLET_ENV=production refuses otherwise').choices(
        ALLOWED,
      ),
    )
    .addOption(
      new Option('--driver <name>', 'what isolates skills: bubblewrap, or gVisor (runsc); default: bwrap').choices([
        'bwrap',
        'runsc',
      ]),
    )
    .option(
      '--development-without-isolation',
      'isolate nothing; only on 127.0.0.1, for one tenant, and never for production',
    )
    .option(
      '--memory-factor <number>',
      'let the memory limits of all sandboxes together be so many times the memory of the machine; default: 1',
      factorOf,
    )
    .option('--max-sessions <number>', 'keep so many sandboxes at the most; default: 64', countOf)
    .option('--max-sessions-per-tenant <number>', 'keep so many of one tenant; default: half of all', countOf)
    .option('--no-warm-up', 'do not prepare a sandbox when a stage is deployed')
    .action(action<Options>(cli, serve))
}

/** Names for --allow. */
const ALLOWED = ['soft-limits'] as const satisfies readonly Allowance[]

async function serve(call: Call<Options>) {
  const { io, options, paintErr: paint } = call
  requireLinux(io)
  const dataDir = resolve(io.cwd, options.data ?? io.env['SKILLET_DATA'] ?? '.skillet')
  const oidc = options.oidc ?? io.env['SKILLET_OIDC']
  const format = options.log ?? (io.tty.err ? 'text' : 'json')
  const asJson = options.json === true || format === 'json'
  const log = (entry: LogEntry): void => io.err(asJson ? `${JSON.stringify(entry)}\n` : logLine(entry))
  const requests = format === 'off' ? null : createRequestLines(io.err, format)
  const masterKey = io.env['SKILLET_MASTER_KEY']
  // Nothing that the server starts is to inherit it.
  delete process.env['SKILLET_MASTER_KEY']
  // Loaded here: the other commands only speak HTTP, and start faster without a server.
  const [{ startServer }, { closeInheritedFds }] = await Promise.all([
    import('../../server.ts'),
    import('../../runtime/bwrap/inherited-fds.ts'),
  ])
  // Before anything of ours is open: what this process was started with is none of a skill's business.
  closeInheritedFds()
  const server = await startServer({
    dataDir,
    host: options.host,
    port: options.port,
    warmUp: options.warmUp,
    leaseMs: options.lease === undefined ? undefined : options.lease * 1000,
    graceMs: options.grace === undefined ? undefined : options.grace * 1000,
    concurrency: {
      ...(options.concurrency !== undefined && { default: options.concurrency }),
      ...(options.longConcurrency !== undefined && { long: options.longConcurrency }),
    },
    memoryFactor: options.memoryFactor,
    maxSessions: options.maxSessions,
    maxSessionsPerTenant: options.maxSessionsPerTenant,
    environment: io.env['SKILLET_ENV'] || undefined,
    allow: options.allow,
    driver: options.driver,
    developmentWithoutIsolation: options.developmentWithoutIsolation,
    masterKey,
    publicUrl: options.publicUrl ?? (io.env['SKILLET_PUBLIC_URL'] || undefined),
    oidcFile: oidc === undefined ? undefined : resolve(io.cwd, oidc),
    rateLimit: options.rateLimit,
    trustProxies: options.trustProxy,
    webhookNetworks: options.webhookNetwork,
    skillNetworks: options.skillNetwork,
    dnsServers: options.dnsServer,
    requestLog: requests?.add,
    log,
  }).catch((error: unknown) => {
    throw isPortTaken(error) ? portTaken(options.port, error) : error
  })
  try {
    call.show(
      { url: server.url, data: dataDir, first_start: server.firstStart },
      () => `Skillet serves ${server.url}\n`,
    )
    io.err(`${paint('dim', `Data in ${dataDir}. Ctrl-C stops it.`)}\n`)
    // What is no terminal is likely a log, and is kept.
    const key = io.tty.err ? `, shown this once:\n${server.key}` : '.'
    if (server.firstStart) io.err(`The owner key lies in ${dataDir}/owner.key${key}\n`)
    if (!io.signal.aborted) await once(io.signal, 'abort')
  } finally {
    await server.stop()
    requests?.flush()
  }
  io.err('Stopped.\n')
}

function logLine({ at, level, message, ...fields }: LogEntry): string {
  const more = Object.entries(fields).map(
    ([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  return `${at} ${level} ${message}${more.join('')}\n`
}

export function portOf(text: string): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port
  throw new InvalidArgumentError('It is not a number from 0 to 65535.')
}

function leaseOf(text: string): number {
  const seconds = Number(text)
  if (/^\d{1,4}$/.test(text) && seconds > 0) return seconds
  throw new InvalidArgumentError('It is not a number of seconds from 1 to 9999.')
}

function countOf(text: string): number {
  const count = Number(text)
  if (/^\d{1,4}$/.test(text) && count > 0) return count
  throw new InvalidArgumentError('It is not a number from 1 to 9999.')
}

function factorOf(text: string): number {
  const factor = Number(text)
  if (/^\d{1,3}(\.\d{1,3})?$/.test(text) && factor > 0) return factor
  throw new InvalidArgumentError('It is not a number above 0, such as 1.5, below 1000.')
}

function graceOf(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It is not a number of seconds from 0 to 9999.')
}

function rateOf(text: string): { perSecond: number; burst: number } | null {
  if (text === 'off') return null
  const perSecond = Number(text)
  if (/^\d{1,7}$/.test(text) && perSecond > 0) return { perSecond, burst: perSecond * 2 }
  throw new InvalidArgumentError('It is neither a number of requests nor off.')
}

export const isPortTaken = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'EADDRINUSE'

function portTaken(port: number, cause: unknown): CliError {
  return new CliError(EXIT.failed, `Port ${port} is in use.`, {
    fix: 'Stop what listens there, or choose another one with --port; 0 takes a free one.',
    cause,
  })
}
