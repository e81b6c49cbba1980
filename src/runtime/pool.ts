import { totalmem } from 'node:os'
import { newSessionId } from '../model/ids.ts'
import { networkEntries } from '../model/network.ts'
import { SIZES } from '../model/sizes.ts'
import type { Deployment } from '../model/skills.ts'
import type { BundleCache, BundleUse } from './bundles.ts'
import type { Driver, Session } from './driver.ts'
import { Room } from './room.ts'

export interface SessionPoolOptions {
  readonly driver: Pick<Driver, 'prepare'>
  readonly bundles: Pick<BundleCache, 'ensure'>
  /** A session that served nothing for so long is ended, in milliseconds. Default 15 minutes. */
  readonly idleMs?: number
  /** A session this old serves no more runs, in milliseconds. Default 8 hours. */
  readonly maxAgeMs?: number
  /** A session that served so many runs serves no more. Default 10,000. */
  readonly maxRuns?: number
  /** Sessions in all. Default 64. */
  readonly maxSessions?: number
  /** Sum of the sessions' memory limits, in MB. Limits are caps, not reservations. Default: the machine's memory. */
  readonly maxMemoryMb?: number
  /** Told when a sandbox could not be ended cleanly, or a spare not be made. */
  readonly onError: (error: unknown, doing: string) => void
}

export interface Lease {
  readonly session: Session
  /** True when it served runs before. */
  readonly warm: boolean
  /** Gives the session back: to be used again, or ended. Resolves when that is done; nobody has to wait for it. */
  release(): Promise<void>
}

export interface SessionPool {
  /**
   * @param options.variant Stands for the secrets of the run: a session that served another variant serves no other, and is ended.
   * @throws SandboxError; the signal's reason when aborted.
   */
  acquire(
    deployment: Deployment,
    options?: { readonly variant?: string; readonly signal?: AbortSignal | undefined },
  ): Promise<Lease>
  /** Ends the deployment's sessions: idle ones now, busy ones after their run. */
  retire(deployment: string): void
  /** Prepares one session ahead of need. */
  warmUp(deployment: Deployment): Promise<void>
  stats(): { readonly idle: number; readonly busy: number; readonly memory_mb: number }
  close(): Promise<void>
}

interface Member {
  readonly session: Session
  readonly bundle: BundleUse
  readonly deployment: string
  readonly memory_mb: number
  readonly born: number
  lastUsed: number
  retired: boolean
  /** Of the runs that it served; null while it served none. */
  variant: string | null
}

const SWEEP_MS = 10_000

/**
 * Sessions, warm and ahead of need. A session serves one run at a time and only its own deployment; with `isolation: fresh` it serves
 * one run and ends, and a never-used spare stands ready for the next one.
 */
export function createSessionPool(options: SessionPoolOptions): SessionPool {
  const { driver, bundles, idleMs = 15 * 60_000, maxAgeMs = 8 * 3_600_000, maxRuns = 10_000 } = options
  const idle: Member[] = []
  const busy = new Set<Member>()
  /** Sessions on their way into `idle`, by deployment: worth waiting for instead of making another. */
  const coming = new Map<string, Set<Promise<void>>>()
  const closing = new AbortController()
  const room = new Room(options.maxSessions ?? 64, options.maxMemoryMb ?? Math.floor(totalmem() / 2 ** 20), evictOldest)
  const sweeper = setInterval(sweep, SWEEP_MS).unref()

  const acquire: SessionPool['acquire'] = async (deployment, { variant = '', signal } = {}) => {
    for (;;) {
      signal?.throwIfAborted()
      const member = takeIdle(deployment.id, variant)
      if (member !== null) return lend(member, deployment, variant)
      const awaited = coming.get(deployment.id)
      // More callers than sessions on their way: the others make their own.
      if (awaited === undefined || awaited.size === 0)
        return lend(await make(deployment, false, signal), deployment, variant)
      await Promise.race(awaited)
    }
  }

  function lend(member: Member, deployment: Deployment, variant: string): Lease {
    busy.add(member)
    member.variant = variant
    const warm = member.session.calls > 0
    const fresh = deployment.config.isolation === 'fresh'
    let released: Promise<void> | null = null
    return {
      session: member.session,
      warm,
      release: () => (released ??= track(deployment.id, fresh ? replace(member, deployment) : giveBack(member))),
    }
  }

  async function giveBack(member: Member): Promise<void> {
    const again = member.session.usable && !member.retired && (await member.session.idle())
    busy.delete(member)
    member.lastUsed = Date.now()
    if (again && !worn(member) && !closing.signal.aborted) {
      idle.push(member)
      room.reconsider()
    } else await end(member)
  }

  /** The used sandbox goes, its successor comes; not before, or both would compete with the run for the processor. */
  async function replace(member: Member, deployment: Deployment): Promise<void> {
    busy.delete(member)
    await end(member)
    if (!member.retired && !closing.signal.aborted) await prepareAhead(deployment)
  }

  async function prepareAhead(deployment: Deployment): Promise<void> {
    if (closing.signal.aborted || idle.some((member) => member.deployment === deployment.id)) return
    try {
      idle.push(await make(deployment, true, closing.signal))
    } catch (error) {
      // The next acquire makes one itself, and tells whoever asked why it can't.
      if (!closing.signal.aborted) throw error
    }
  }

  function track(deployment: string, work: Promise<void>): Promise<void> {
    const set = coming.get(deployment) ?? new Set()
    coming.set(deployment, set)
    const done: Promise<void> = work
      .catch((error: unknown) => options.onError(error, `preparing sessions of deployment ${deployment}`))
      .then(() => {
        set.delete(done)
        if (set.size === 0 && coming.get(deployment) === set) coming.delete(deployment)
      })
    set.add(done)
    return done
  }

  async function make(deployment: Deployment, ahead: boolean, signal?: AbortSignal): Promise<Member> {
    const memory_mb = SIZES[deployment.config.size].memory_mb
    await room.enter(memory_mb, signal)
    let bundle: BundleUse | null = null
    try {
      bundle = await bundles.ensure(deployment.bundle_blob, signal)
      const { handler, runtime, config } = deployment
      const session = await driver.prepare(
        {
          id: newSessionId(),
          runtime,
          handler,
          bundle: bundle.folder,
          memory_mb,
          cpus: SIZES[config.size].cpus,
          network: networkEntries(config.network),
          ahead,
        },
        signal,
      )
      const at = Date.now()
      const known = { session, bundle, deployment: deployment.id, memory_mb }
      return { ...known, born: at, lastUsed: at, retired: false, variant: null }
    } catch (error) {
      bundle?.release()
      room.leave(memory_mb)
      throw error
    }
  }

  async function end(member: Member): Promise<void> {
    try {
      await member.session.kill()
    } finally {
      member.bundle.release()
      room.leave(member.memory_mb)
    }
  }

  function dispose(member: Member): void {
    end(member).catch((error: unknown) => options.onError(error, `ending session ${member.session.id}`))
  }

  /** The one used last: its memory is the warmest. Those that saw other secrets are ended. */
  function takeIdle(deployment: string, variant: string): Member | null {
    dismiss((member) => member.deployment === deployment && member.variant !== null && member.variant !== variant)
    for (let i = idle.length - 1; i >= 0; i--) {
      if (idle[i]!.deployment !== deployment) continue
      const [member] = idle.splice(i, 1)
      if (member!.session.usable && !worn(member!)) return member!
      dispose(member!)
    }
    return null
  }

  function worn({ born, session }: Member): boolean {
    return Date.now() - born > maxAgeMs || session.calls >= maxRuns
  }

  function evictOldest(): boolean {
    const oldest = idle.toSorted((a, b) => a.lastUsed - b.lastUsed)[0]
    if (oldest !== undefined) dismiss((member) => member === oldest)
    return oldest !== undefined
  }

  function dismiss(which: (member: Member) => boolean): void {
    for (const member of idle.filter(which)) {
      idle.splice(idle.indexOf(member), 1)
      dispose(member)
    }
  }

  function sweep(): void {
    dismiss((member) => !member.session.usable || worn(member) || Date.now() - member.lastUsed > idleMs)
  }

  return {
    acquire,
    retire(deployment) {
      for (const member of busy) if (member.deployment === deployment) member.retired = true
      dismiss((member) => member.deployment === deployment)
    },
    async warmUp(deployment) {
      if (deployment.handler.kind !== 'skill-md') await track(deployment.id, prepareAhead(deployment))
    },
    stats: () => ({ idle: idle.length, busy: busy.size, memory_mb: room.usedMb }),
    async close() {
      closing.abort(new Error('The server stops.'))
      clearInterval(sweeper)
      await Promise.all([...coming.values()].flatMap((set) => [...set]))
      await Promise.all([...idle.splice(0), ...busy].map(end))
    },
  }
}
