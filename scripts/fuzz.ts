// npm run fuzz: a real server with skills that run, and schemathesis asking for everything that its document describes, in every role.
// Options: --minutes (default 10, for all roles together), --seed, --role (several times).
import { randomInt } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createApi } from '../src/cli/api.ts'
import { interruptionSignal } from '../src/cli/interruption.ts'
import { painter, processIo } from '../src/cli/io.ts'
import { createProgress } from '../src/cli/progress.ts'
import { closeInheritedFds } from '../src/runtime/bwrap/inherited-fds.ts'
import { type LogEntry, type RequestLogEntry, startServer } from '../src/server.ts'
import { leadSomewhere } from './fuzz-document.ts'
import { fuzz } from './fuzz-tool.ts'
import { makeWorld } from './fuzz-world.ts'
import { SAMPLES, sampleInput } from './samples.ts'

/** Roles and their parts of the time. Those that are only refused need less. */
const ROLES = { owner: 4, developer: 2, viewer: 1, agent: 1, operator: 2 } as const
type Role = keyof typeof ROLES

/** Single requests, then chains in which each uses what the one before has made; and their parts of the time. */
const PHASES = [
  ['examples,coverage,fuzzing', 2 / 3],
  ['stateful', 1 / 3],
] as const

const io = processIo(interruptionSignal())
const paint = painter(io, 'err')
const progress = createProgress(io)
const say = (text: string): void => io.err(`${text}\n`)

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string' },
    role: { type: 'string', multiple: true, default: Object.keys(ROLES) },
  },
})
const minutes = Number(values.minutes)
const seed = Number(values.seed ?? randomInt(2 ** 31))
const roles = values.role.filter((role): role is Role => role in ROLES)
if (!(minutes > 0) || !Number.isInteger(seed) || roles.length !== values.role.length) {
  say(`Usage: npm run fuzz -- [--minutes 10] [--seed number] [--role ${Object.keys(ROLES).join('|')}]`)
  process.exitCode = 2
} else {
  try {
    process.exitCode = (await main()) ? 0 : 1
  } catch (error) {
    if (!io.signal.aborted) throw error
    process.exitCode = 130
  }
}

async function main(): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'skillet-fuzz-'))
  const faults: LogEntry[] = []
  const seen: Seen = { statuses: new Map(), succeeded: new Set() }
  try {
    closeInheritedFds()
    progress.begin('Starting a server with an empty data folder')
    const server = await startServer({
      dataDir: join(folder, 'data'),
      port: 0,
      warmUp: false,
      // What is tried here is not how fast keys can be guessed.
      failureLimit: null,
      webhookNetworks: ['127.0.0.0/8'],
      log: (entry) => void (entry.level === 'error' && faults.push(entry)),
      requestLog: (entry) => note(seen, entry),
    })
    try {
      return await fuzzAll(folder, server, faults, seen)
    } finally {
      await server.stop()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** What the server told of. */
interface Seen {
  readonly statuses: Map<number | null, number>
  /** Methods and routes. */
  readonly succeeded: Set<string>
}

function note({ statuses, succeeded }: Seen, { method, route, status }: RequestLogEntry): void {
  statuses.set(status, (statuses.get(status) ?? 0) + 1)
  if (status !== null && status < 300) succeeded.add(`${method} ${route}`)
}

interface Server {
  readonly url: string
  readonly key: string | null
  readonly operatorKey: string | null
}

async function fuzzAll(
  folder: string,
  { url, key, operatorKey }: Server,
  faults: readonly LogEntry[],
  { statuses, succeeded }: Seen,
): Promise<boolean> {
  const owner = createApi({ url, key: key! }, io.signal)
  const operator = createApi({ url, key: operatorKey! }, io.signal)
  const world = await makeWorld(owner, operator, progress, io)
  const keys: Record<Role, string> = { ...world.keys, owner: key!, operator: operatorKey! }
  const document = join(folder, 'openapi.json')
  const described = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: Record<string, object> }
  await writeFile(
    document,
    JSON.stringify(leadSomewhere(described, world.lasting, world.doomed, SAMPLES.map(sampleInput))),
  )

  const began = performance.now()
  const parts = roles.reduce((sum, role) => sum + ROLES[role], 0)
  let clean = true
  for (const role of roles) {
    for (const [phases, share] of PHASES) {
      io.signal.throwIfAborted()
      // What an owner before has capped would hold up the others.
      await owner.putQuota({})
      const seconds = Math.max(1, Math.round((minutes * 60 * ROLES[role] * share) / parts))
      progress.begin(`${role}: ${phases}, ${seconds} s`)
      const answer = await fuzz({ document, folder, url, key: keys[role], phases, seconds, seed, signal: io.signal })
      progress.end()
      if (answer.clean) continue
      clean = false
      say(paint('red', `Found as ${role}:`))
      say(answer.output)
      say(`Again: npm run fuzz -- --seed ${seed} --minutes ${minutes} --role ${role}\n`)
    }
  }
  for (const { message } of faults) say(`${paint('red', 'The server logged a fault:')} ${message}`)
  clean &&= faults.length === 0
  const counts = [...statuses].toSorted(([a], [b]) => (a ?? 0) - (b ?? 0))
  const total = counts.reduce((sum, [, count]) => sum + count, 0)
  const routes = Object.entries(described.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  const never = routes.filter((route) => !succeeded.has(route))
  if (never.length > 0) say(`Never asked for with success: ${never.join(', ')}`)
  say(`Answers: ${counts.map(([status, count]) => `${count} × ${status ?? 'none (the client went)'}`).join(', ')}`)
  const took = `${((performance.now() - began) / 60_000).toFixed(1)} minutes`
  io.out(`${clean ? 'clean' : 'FINDINGS'}: ${total} requests in ${took} as ${roles.join(', ')}; seed ${seed}\n`)
  return clean
}
