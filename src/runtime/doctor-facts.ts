import { arch, release, type } from 'node:os'
import { SANDBOX_UIDS } from './bwrap/uids.ts'
import type { DoctorCheck } from './doctor-check.ts'
import type { Driver } from './driver.ts'
import type { Runtimes } from './runtimes.ts'

/** Whether limits that a watchdog holds will do. `refused`: the server is one for production, and nobody has said that they will. */
export type SoftLimits = 'accepted' | 'allowed by name' | 'refused'

/** How limits are held, and whether that will do. */
export function limitsCheck(driver: Pick<Driver, 'capabilities'>, soft: SoftLimits): DoctorCheck {
  const { limits, held } = driver.capabilities()
  const check = 'limits'
  if (limits === 'hard') {
    const by = held === undefined ? '' : ` by ${held.by}`
    if (held?.cpu !== false) {
      return { check, ok: true, detail: `hard: memory, processes and CPU time are held${by}`, fix: null }
    }
    const detail = `hard: memory and processes are held${by}; CPU time is not, a sandbox may take all that is free`
    return {
      check,
      ok: true,
      detail,
      fix: 'Give the server the cpu controller too (systemd: Delegate=cpu memory pids).',
    }
  }
  const what = 'soft: memory is watched every 50 ms, processes are held by rlimits, CPU time is not held'
  if (soft !== 'refused') {
    const detail = soft === 'accepted' ? what : `${what}; allowed by --allow soft-limits`
    return { check, ok: true, detail, fix: hardLimits() }
  }
  const fix = `${hardLimits()} Where nobody but you uploads code, start the server with --allow soft-limits.`
  return { check, ok: false, detail: `${what}; that is not enough with SKILLET_ENV=production`, fix }
}

/** Root needs cgroups no less than others do; it only has them more often. */
function hardLimits(): string {
  const more =
    process.getuid!() === 0
      ? 'let it write its cgroups (in a container: deploy/container/compose.hard-limits.yaml)'
      : 'run it as root'
  return `For hard limits delegate a cgroup v2 subtree to the server (systemd: Delegate=cpu memory pids), or ${more}.`
}

/** How much memory there is, in MB, and how many times over sandboxes may be promised it. */
export interface MemoryFacts {
  readonly machine_mb: number
  readonly factor: number
}

/** What an operator, or whoever helps one, has to know of the machine. */
export async function machineFacts(runtimes: Runtimes, memory?: MemoryFacts): Promise<DoctorCheck[]> {
  return [
    fact('kernel', `${type()} ${release()} on ${arch()}`),
    ...(memory === undefined ? [] : [memoryFact(memory)]),
    await runtimesCheck(runtimes),
    process.getuid!() === 0
      ? fact('user ids', `each sandbox has one of its own, from ${SANDBOX_UIDS.first} to ${SANDBOX_UIDS.last}`)
      : {
          ...fact(
            'user ids',
            `all sandboxes have the server's own, ${process.getuid!()}: they share what the kernel gives a user`,
          ),
          fix: 'Where that matters (inotify watches, memory of pipes) run the server as root, which gives each sandbox a user of its own.',
        },
  ]
}

function memoryFact({ machine_mb, factor }: MemoryFacts): DoctorCheck {
  const all = Math.floor(machine_mb * factor)
  const more = factor > 1 ? ', more than there is: when all take what they may, some are killed for it' : ''
  return fact('memory', `${machine_mb} MB; all sandboxes together may take ${all} MB (factor ${factor})${more}`)
}

async function runtimesCheck({ all, find }: Runtimes): Promise<DoctorCheck> {
  const python = find('python3')
  const told = await Promise.all(
    all.map(async (one) => {
      const version = await one.version().catch((error: Error) => `it does not start: ${error.message}`)
      return `${one.name} (${version}${one === python ? ', the default' : ''})`
    }),
  )
  if (python !== null) return fact('runtimes', told.join(', '))
  const detail = `${told.join(', ')}; there is no Python 3.9 or later as /usr/bin/python3`
  return { check: 'runtimes', ok: false, detail, fix: 'Install Python 3 (Debian, Ubuntu: apt-get install python3).' }
}

const fact = (check: string, detail: string): DoctorCheck => ({ check, ok: true, detail, fix: null })
