import { availableParallelism } from 'node:os'
import { createArrivals } from './arrivals.ts'
import type { BundleCache } from './bundles.ts'
import type { Driver } from './driver.ts'
import { type Ask, type EndCause, type Member, createMembers, isSpare } from './members.ts'
import { askOf } from './reach.ts'
import type { Room } from './room.ts'
import { createSessionMaker } from './session-maker.ts'
import { infoOf, statsOf } from './session-info.ts'
import type { Lease, PoolObserver, SessionPool, SessionStart } from './session-pool.ts'
import { createSpareMaker } from './spare-maker.ts'
import { createSpares } from './spares.ts'

export interface SessionPoolOptions {
  readonly driver: Pick<Driver, 'prepare'>
  readonly bundles: Pick<BundleCache, 'ensure'>
  /** Shared with whatever else runs what strangers wrote. The pool says what may go when it is full. */
  readonly room: Room
  /** What a session may hold of the machine's memory besides its limit, as a share of that. Default 0: the limit holds all. */
  readonly besidesLimit?: number
  /** A session that served nothing for so long is ended, in milliseconds. Default 15 minutes. */
  readonly idleMs?: number
  /** A session this old serves no more runs, in milliseconds. Default 8 hours. */
  readonly maxAgeMs?: number
  /** A session that served so many runs serves no more. Default 10,000. */
  readonly maxRuns?: number
  /** Milliseconds since the epoch. Default: the system's clock. */
  readonly now?: () => number
  /** Default: nobody is told. */
  readonly observer?: PoolObserver
  /** Told when a sandbox could not be ended cleanly, or a spare not be made. */
  readonly onError: (error: unknown, doing: string) => void
}

const SWEEP_MS = 10_000

/**
 * Sessions, warm and ahead of need. A session serves one run at a time and only its own deployment; with `isolation: fresh` it serves
 * one run and ends, and never-used spares stand ready for the next ones.
 */
export function createSessionPool(options: SessionPoolOptions): SessionPool {
  const { room, idleMs = 15 * 60_000, maxAgeMs = 8 * 3_600_000, maxRuns = 10_000, now = Date.now, observer } = options
  const closing = new AbortController()
  const arrivals = createArrivals()
  const maker = createSessionMaker({
    ...options,
    now,
    onPrepared: () => spares.fill(),
    onEnded: (cause) => observer?.ended(cause),
  })
  const members = createMembers({ worn, dispose })
  const ahead = createSpareMaker({ ...options, maker, members, arrivals, closing: closing.signal })
  const spares = createSpares({
    now,
    ready: ahead.count,
    // Those that wait for a sandbox of their own go first.
    mayMake: () => !closing.signal.aborted && maker.preparing() < availableParallelism(),
    make: ({ deployment, network }) => ahead.make(askOf(deployment, { network })),
  })
  room.whenFull((tenant) => {
    const first = members.first(tenant)
    if (first === null) return false
    members.takeOff(first)
    dispose(first, tenant === null ? 'memory' : 'tenant_cap')
    return true
  })
  const sweeper = setInterval(sweep, SWEEP_MS).unref()

  const acquire: SessionPool['acquire'] = async (deployment, given = {}) => {
    const ask = askOf(deployment, given)
    const began = performance.now()
    for (;;) {
      given.signal?.throwIfAborted()
      const idle = members.take(ask)
      if (idle === null && (await arrivals.next(ask, given.signal))) continue
      const start = idle === null ? 'cold' : isSpare(idle) ? 'spare' : 'warm'
      const hand = (member: Member): Lease => {
        observer?.started(start, performance.now() - began)
        return lend(member, ask, start)
      }
      return idle === null ? await maker.make(ask, hand, given.signal) : hand(idle)
    }
  }

  function lend(member: Member, ask: Ask, start: SessionStart): Lease {
    const { deployment, reach, variant } = ask
    const fresh = deployment.config.isolation === 'fresh'
    members.busy.add(member)
    member.variant = variant
    if (fresh) spares.began(ask)
    let released: Promise<void> | null = null
    const release = async (): Promise<void> => {
      const back = { deployment: deployment.id, reach, variant: fresh ? null : variant }
      const work = (fresh ? replace(member) : giveBack(member)).catch(failedToEnd(member))
      await arrivals.track(back, work)
    }
    return { session: member.session, warm: start === 'warm', release: () => (released ??= release()) }
  }

  async function giveBack(member: Member): Promise<void> {
    const again = member.session.usable && member.leaving === null && (await member.session.idle())
    members.busy.delete(member)
    member.lastUsed = now()
    const cause = causeOfEnd(member, again)
    if (cause !== null) return maker.end(member, cause)
    members.shelve(member)
    room.reconsider()
  }

  function causeOfEnd(member: Member, again: boolean): EndCause | null {
    if (closing.signal.aborted) return 'stop'
    return member.leaving ?? (again ? worn(member) : 'broken')
  }

  /** The used sandbox goes, its successor comes; not before, or both would compete with the run for the processor. */
  async function replace(member: Member): Promise<void> {
    members.busy.delete(member)
    spares.ended(member.deployment.id)
    try {
      await maker.end(member, member.leaving ?? 'used')
    } finally {
      spares.gone(member.deployment.id)
    }
  }

  function worn({ born, session }: Member): EndCause | null {
    if (!session.usable) return 'broken'
    if (now() - born > maxAgeMs) return 'age'
    return session.calls >= maxRuns ? 'runs' : null
  }

  function dispose(member: Member, cause: EndCause): void {
    maker.end(member, cause).catch(failedToEnd(member))
  }

  function failedToEnd({ session }: Member): (error: unknown) => void {
    return (error) => options.onError(error, `ending session ${session.id}`)
  }

  function sweep(): void {
    members.dismiss((member) => worn(member) ?? (now() - member.lastUsed > idleMs ? 'idle' : null))
    spares.sweep()
    members.dismiss(surplus)
    // A run that takes long keeps its sandbox; its successor need not wait for that.
    spares.fill()
  }

  function surplus(member: Member): EndCause | null {
    const { id, config } = member.deployment
    if (config.isolation !== 'fresh' || !isSpare(member)) return null
    return members.sparesOf(id).length > spares.target(id) ? 'surplus' : null
  }

  const flush = (which: (member: Pick<Member, 'deployment'>) => boolean, cause: EndCause) => {
    const busy = [...members.busy].filter(which)
    for (const member of busy) member.leaving ??= cause
    const ended = members.dismiss((member) => (which(member) ? cause : null))
    return { ended, after_run: busy.length + maker.mark((deployment) => which({ deployment }), cause) }
  }

  return {
    acquire,
    sweep,
    retire(deployment) {
      spares.forget(deployment)
      flush((member) => member.deployment.id === deployment, 'retired')
    },
    flush: (which) => flush((member) => which(member.deployment), 'flush'),
    async warmUp(deployment) {
      const { id, handler, config } = deployment
      const there = ahead.count(id) > 0 || members.idle.some((member) => member.deployment.id === id)
      if (handler.kind === 'skill-md' || there) return
      const ask = askOf(deployment, {})
      if (config.isolation === 'fresh') spares.expect(ask)
      await ahead.make(ask)
    },
    list: (which) => [
      ...[...members.busy].filter(({ deployment }) => which(deployment)).map((member) => infoOf(member, true, now())),
      ...members.idle.filter(({ deployment }) => which(deployment)).map((member) => infoOf(member, false, now())),
    ],
    stats: () => statsOf(members),
    async close() {
      closing.abort(new Error('The server stops.'))
      clearInterval(sweeper)
      await arrivals.all()
      members.dismiss(() => 'stop')
      for (const member of members.busy) dispose(member, 'stop')
      await maker.allEnded()
    },
  }
}
