import { newSessionId } from '../model/ids.ts'
import { SIZES } from '../model/sizes.ts'
import type { Deployment } from '../model/skills.ts'
import type { BundleCache, BundleUse } from './bundles.ts'
import type { Driver } from './driver.ts'
import type { Ask, EndCause, Member } from './members.ts'
import type { Room, Seat, Wish } from './room.ts'

/**
 * Makes sessions where there is room for them, and ends them. What is made is handed to `place`, which puts it where it belongs at once: until
 * then `mark` finds it, and from then on its place does, so that a flush misses none in between.
 */
export interface SessionMaker {
  /** For a run that waits for it. @throws SandboxError; the signal's reason. */
  make<T>(ask: Omit<Ask, 'variant'>, place: (member: Member) => T, signal?: AbortSignal): Promise<T>
  /** Ahead of need. @param seat One that nobody else wanted. @returns Null: there is none. @throws SandboxError; the signal's reason. */
  makeAhead<T>(
    ask: Omit<Ask, 'variant'>,
    seat: () => Promise<Seat | null>,
    place: (member: Member) => T,
    signal: AbortSignal,
  ): Promise<T | null>
  /** May be called twice: the first cause counts. */
  end(member: Member, cause: EndCause): Promise<void>
  /** Until all that are ending have ended, whether that goes well or not. */
  allEnded(): Promise<void>
  /** Those of these deployments that are not ready yet serve one run at the most. @returns How many runs wait for one. */
  mark(which: (deployment: Deployment) => boolean, cause: EndCause): number
  /** The room that one of its sessions takes. */
  wishOf(deployment: Deployment): Wish
  /** Sandboxes that are being prepared; who waits for room is none. */
  preparing(): number
}

interface Coming {
  readonly deployment: Deployment
  readonly ahead: boolean
  leaving: EndCause | null
}

export function createSessionMaker(parts: {
  readonly driver: Pick<Driver, 'prepare'>
  readonly bundles: Pick<BundleCache, 'ensure'>
  readonly room: Room
  /** As in SessionPoolOptions. */
  readonly besidesLimit?: number
  readonly now: () => number
  /** One more or one less is being prepared, or wanted. */
  readonly onPrepared: () => void
  readonly onEnded: (cause: EndCause) => void
}): SessionMaker {
  const { driver, bundles, room, besidesLimit = 0, now } = parts
  const wishOf = ({ config, tenant }: Deployment): Wish => ({
    memory_mb: Math.ceil(SIZES[config.size].memory_mb * (1 + besidesLimit)),
    tenant,
  })
  const coming = new Set<Coming>()
  const ending = new Map<Member, Promise<void>>()
  const ended = new WeakSet<Member>()
  let preparing = 0

  async function prepare(
    { deployment, network, reach }: Omit<Ask, 'variant'>,
    seat: Seat,
    entry: Coming,
    signal?: AbortSignal,
  ): Promise<Member> {
    preparing++
    let bundle: BundleUse | null = null
    try {
      bundle = await bundles.ensure(deployment.bundle_blob, signal)
      const { handler, runtime, config } = deployment
      const { memory_mb, cpus } = SIZES[config.size]
      const spec = { runtime, handler, bundle: bundle.folder, memory_mb, cpus, network, ahead: entry.ahead }
      const session = await driver.prepare({ id: newSessionId(), ...spec }, signal)
      const at = now()
      const known = { session, bundle, seat, deployment, network, reach, memory_mb }
      return { ...known, born: at, lastUsed: at, leaving: null, variant: null }
    } catch (error) {
      bundle?.release()
      seat.leave()
      throw error
    } finally {
      preparing--
      parts.onPrepared()
    }
  }

  async function registered<T>(
    deployment: Deployment,
    ahead: boolean,
    work: (entry: Coming) => Promise<T>,
  ): Promise<T> {
    const entry: Coming = { deployment, ahead, leaving: null }
    coming.add(entry)
    try {
      return await work(entry)
    } finally {
      coming.delete(entry)
    }
  }

  function placed<T>(member: Member, entry: Coming, place: (member: Member) => T): T {
    member.leaving ??= entry.leaving
    coming.delete(entry)
    return place(member)
  }

  return {
    make: (ask, place, signal) =>
      registered(ask.deployment, false, async (entry) => {
        const seat = await room.enter(wishOf(ask.deployment), signal)
        return placed(await prepare(ask, seat, entry, signal), entry, place)
      }),
    makeAhead: (ask, seatFor, place, signal) =>
      registered(ask.deployment, true, async (entry) => {
        const seat = await seatFor()
        return seat && placed(await prepare(ask, seat, entry, signal), entry, place)
      }),
    async end(member, cause) {
      if (ended.has(member)) return ending.get(member)
      ended.add(member)
      member.seat.going()
      parts.onEnded(cause)
      const work = kill(member).finally(() => ending.delete(member))
      ending.set(member, work)
      return work
    },
    async allEnded() {
      await Promise.allSettled(ending.values())
    },
    mark(which, cause) {
      const marked = [...coming].filter(({ deployment }) => which(deployment))
      for (const entry of marked) entry.leaving ??= cause
      return marked.filter(({ ahead }) => !ahead).length
    },
    wishOf,
    preparing: () => preparing,
  }
}

async function kill(member: Member): Promise<void> {
  try {
    await member.session.kill()
  } finally {
    member.bundle.release()
    member.seat.leave()
  }
}
