import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type Server, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { INSIDE } from './bwrap/argv.ts'
import type { Places } from './bwrap/places.ts'
import type { DoctorCheck } from './doctor-check.ts'
import { type MemoryFacts, type SoftLimits, limitsCheck, machineFacts } from './doctor-facts.ts'
import { type Driver, SandboxError } from './driver.ts'
import { gvisor } from './runsc/gvisor-check.ts'
import type { Runtimes } from './runtimes.ts'

export interface DoctorReport {
  /** False: no skill may be run on this machine as it is. */
  readonly ok: boolean
  readonly checks: readonly DoctorCheck[]
}

/** Tries the isolation for real: makes one sandbox as runs get it, and attempts to break out of it. */
export async function runDoctor(
  parts: {
    readonly driver: Pick<Driver, 'tool' | 'capabilities'>
    readonly places: Places
    readonly dataDir: string
    /** Default `accepted`. */
    readonly softLimits?: SoftLimits
    readonly memory?: MemoryFacts
  },
  signal?: AbortSignal,
): Promise<DoctorReport> {
  if (parts.driver.capabilities().tier === 'none') return await withoutIsolation(parts.places.files.runtimes)
  const ownKernel = parts.driver.capabilities().tier === 'kernel'
  const programs = Promise.all([bubblewrap(), ...(ownKernel ? [gvisor()] : [])])
  const facts = machineFacts(parts.places.files.runtimes, parts.memory)
  // Waited for last: the trial takes longest.
  for (const asked of [programs, facts]) asked.catch(() => undefined)
  const tried: DoctorCheck[] = []
  try {
    tried.push(...(await tryToEscape(parts, signal)))
  } catch (error) {
    signal?.throwIfAborted()
    if (!(error instanceof SandboxError)) throw error
    tried.push({ check: 'sandbox', ok: false, detail: error.message, fix: error.fix })
  }
  const limits = limitsCheck(parts.driver, parts.softLimits ?? 'accepted')
  const checks = [...(await programs), limits, ...(await facts), ...tried]
  return { ok: checks.every(({ ok }) => ok), checks }
}

/** There is nothing to try: whoever started the server has said that it is to be so. */
async function withoutIsolation(runtimes: Runtimes): Promise<DoctorReport> {
  const isolation = {
    check: 'isolation',
    ok: true,
    detail: 'NONE: skills run as plain processes of this machine; for development only',
    fix: 'For anything else start the server without --development-without-isolation.',
  }
  return {
    ok: true,
    checks: [isolation, ...(await machineFacts(runtimes)).filter(({ check }) => check !== 'user ids')],
  }
}

/** How long the probes may take, in milliseconds, at each try: a machine with other things to do is slow, and not leaky. */
const PROBE_MS = [10_000, 30_000, 60_000]
/** Older ones were not tried; their options differ. */
const OLDEST_BWRAP = [0, 8]

async function bubblewrap(): Promise<DoctorCheck> {
  const check = 'bubblewrap'
  const fix = 'Install bubblewrap 0.8 or later (Debian, Ubuntu: apt-get install bubblewrap).'
  try {
    const { stdout } = await promisify(execFile)('bwrap', ['--version'], { env: { PATH: process.env['PATH'] } })
    const [major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(stdout)?.slice(1) ?? []).map(Number)
    const ok = major > OLDEST_BWRAP[0]! || (major === OLDEST_BWRAP[0] && minor >= OLDEST_BWRAP[1]!)
    return { check, ok, detail: stdout.trim(), fix: ok ? null : fix }
  } catch (error) {
    return { check, ok: false, detail: (error as Error).message, fix }
  }
}

const Report = z.object({
  escapes: z.record(z.string(), z.string().nullable()),
  facts: z.object({
    python: z.string(),
    node: z.string().nullable(),
    seccomp: z.string().nullable(),
    host_uid: z.number(),
    descriptors: z.array(z.string()),
  }),
})

async function tryToEscape(
  { driver, places, dataDir }: { driver: Pick<Driver, 'tool' | 'capabilities'>; places: Places; dataDir: string },
  signal?: AbortSignal,
): Promise<DoctorCheck[]> {
  // Something real to be reached, so that a refusal means something.
  const abstract = `skillet-probe-${randomBytes(8).toString('hex')}`
  const servers = [await listen({ host: '127.0.0.1', port: 0 }), await listen({ path: `\0${abstract}` })]
  try {
    const { port } = servers[0]!.address() as AddressInfo
    const ownKernel = driver.capabilities().tier === 'kernel'
    const given = {
      pid: process.pid,
      port,
      abstract,
      paths: hostPaths([dataDir, places.root, homedir()]),
      kernel: ownKernel ? 'own' : 'host',
    }
    const argv = ['/usr/bin/python3', '-I', '-S', `${INSIDE.hosts}/probes.py`, JSON.stringify(given)]
    let result: Awaited<ReturnType<Driver['tool']>> | undefined
    for (const timeout_ms of PROBE_MS) {
      result = await driver.tool({ argv, binds: [], memory_mb: 256, disk_mb: 16, timeout_ms }, signal)
      if (result.ended !== 'timeout') break
    }
    if (result!.ended === 'timeout') return [tooSlow()]
    const { stdout, stderr, ended, exitCode } = result!
    return judge(stdout, ownKernel, `${ended} ${exitCode}: ${stderr.slice(0, 500)}`)
  } finally {
    for (const server of servers) server.close()
  }
}

function tooSlow(): DoctorCheck {
  const seconds = PROBE_MS.reduce((sum, ms) => sum + ms / 1000, 0)
  return {
    check: 'probes',
    ok: false,
    detail: `The probes did not end within ${seconds} s, in ${PROBE_MS.length} tries.`,
    fix: 'See what keeps the processors of this machine busy, then start again.',
  }
}

/** Without those that a sandbox has too: a service's home may be the root folder, or under /usr. */
function hostPaths(paths: readonly string[]): string[] {
  return paths
    .map((path) => resolve(path))
    .filter((path) => path !== '/' && !/^\/(usr|etc|proc|dev|tmp)$|^\/usr\//.test(path))
}

function judge(stdout: string, ownKernel: boolean, ending: string): DoctorCheck[] {
  let report: z.infer<typeof Report>
  try {
    report = Report.parse(JSON.parse(stdout))
  } catch {
    const fix = 'Install Python 3.9 or later as /usr/bin/python3 (Debian, Ubuntu: apt-get install python3).'
    return [{ check: 'probes', ok: false, detail: `The probes gave no answer (${ending}).`, fix }]
  }
  const { escapes, facts } = report
  const files = facts.descriptors.filter((target) => target.startsWith('/'))
  return [
    { check: 'python', ok: true, detail: facts.python, fix: null },
    {
      check: 'node',
      ok: facts.node?.startsWith('v24.') === true,
      detail: facts.node ?? 'it did not start',
      fix: facts.node?.startsWith('v24.') === true ? null : 'Run "npm ci" again: it brings the pinned Node 24.',
    },
    ownKernel
      ? { check: 'user', ok: true, detail: 'sandboxes have users of their own kernel only', fix: null }
      : { check: 'user', ok: facts.host_uid !== 0, detail: `sandboxes run as uid ${facts.host_uid}`, fix: null },
    {
      check: 'inherited descriptors',
      // A pipe is a nuisance; a file or a folder of the host is a way out.
      ok: files.length === 0,
      detail: facts.descriptors.length === 0 ? 'none' : `passed on: ${facts.descriptors.join(', ')}`,
      fix: facts.descriptors.length === 0 ? null : 'Start the server with no other files open than its three streams.',
    },
    ...Object.entries(escapes).map(([check, escape]) => ({
      check: `escape: ${check}`,
      ok: escape === null,
      detail: escape === null ? 'held back' : `a sandbox got out: ${escape}`,
      fix: escape === null ? null : (ESCAPE_FIXES[check] ?? REPORT),
    })),
  ]
}

const REPORT = 'Run no skills on this machine, and report this with the kernel version and that of bubblewrap.'
const ESCAPE_FIXES: Readonly<Record<string, string>> = {
  'kernel settings':
    'Run the server as an ordinary user, or as root with CAP_SETUID so that sandboxes get users of their own.',
  privileges: 'Use a kernel with seccomp filters (CONFIG_SECCOMP_FILTER), and a bubblewrap that is not setuid root.',
}

async function listen(options: { host?: string; port?: number; path?: string }): Promise<Server> {
  const server = createServer((socket) => socket.destroy())
  server.listen(options)
  await once(server, 'listening')
  return server
}
