import type { Arrivals } from './arrivals.ts'
import type { Ask, Member, Members } from './members.ts'
import type { Room, Seat } from './room.ts'
import type { SessionMaker } from './session-maker.ts'

/** Makes sessions that nobody waits for, where that takes nothing from anybody. */
export interface SpareMaker {
  /**
   * Tracked as an arrival.
   * @returns False where there was no room, or it went wrong: then the next run makes one itself, and tells whoever asked why it can't.
   */
  make(ask: Omit<Ask, 'variant'>): Promise<boolean>
  /** Of the deployment: those that stand ready, and those being made. */
  count(deployment: string): number
}

export function createSpareMaker(parts: {
  readonly room: Room
  readonly maker: SessionMaker
  readonly members: Members
  readonly arrivals: Arrivals
  readonly closing: AbortSignal
  readonly onError: (error: unknown, doing: string) => void
}): SpareMaker {
  const { room, maker, members, arrivals, closing, onError } = parts
  const coming = new Map<string, number>()

  function add(deployment: string, more: 1 | -1): void {
    const now = (coming.get(deployment) ?? 0) + more
    if (now === 0) coming.delete(deployment)
    else coming.set(deployment, now)
  }

  function count(deployment: string): number {
    return members.sparesOf(deployment).length + (coming.get(deployment) ?? 0)
  }

  /** What was used longest ago makes way for the first spare of what is used now; for a second one nothing does. */
  async function seatFor(ask: Omit<Ask, 'variant'>, first: boolean): Promise<Seat | null> {
    const wish = maker.wishOf(ask.deployment)
    const free = room.offer(wish)
    const short = room.shortage(wish)
    if (free !== null || !first || short === null) return free
    const oldest = room.state.waiting > 0 ? null : members.first(short === 'tenant' ? wish.tenant : null)
    if (oldest === null) return null
    members.takeOff(oldest)
    await maker.end(oldest, short === 'tenant' ? 'tenant_cap' : 'memory')
    return room.offer(wish)
  }

  async function shelved(ask: Omit<Ask, 'variant'>, first: boolean): Promise<boolean> {
    const shelve = async (member: Member): Promise<boolean> => {
      const cause = closing.aborted ? 'stop' : member.leaving
      if (cause === null) members.shelve(member)
      else await maker.end(member, cause)
      return cause === null
    }
    const done = await maker.makeAhead(ask, () => seatFor(ask, first), shelve, closing)
    if (done === null) return false
    // Whoever waits for room may have it.
    room.reconsider()
    return done
  }

  return {
    count,
    async make(ask) {
      const { id } = ask.deployment
      const first = count(id) === 0
      add(id, 1)
      const work = shelved(ask, first)
        .catch((error: unknown) => {
          if (!closing.aborted) onError(error, `preparing a session of deployment ${id}`)
          return false
        })
        .finally(() => add(id, -1))
      await arrivals.track(
        { deployment: id, reach: ask.reach, variant: null },
        work.then(() => {}),
      )
      return work
    },
  }
}
