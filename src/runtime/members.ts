import type { Deployment } from '../model/skills.ts'
import type { NetworkEntry } from '../model/network.ts'
import type { BundleUse } from './bundles.ts'
import type { Session } from './driver.ts'
import type { Seat } from './room.ts'

/** A sandbox that exists, with what it holds of the machine. */
export interface Member {
  readonly session: Session
  readonly bundle: BundleUse
  readonly seat: Seat
  readonly deployment: Deployment
  readonly network: readonly NetworkEntry[]
  /** Of what it may reach: equal where that is equal. */
  readonly reach: string
  readonly memory_mb: number
  readonly born: number
  lastUsed: number
  /** It serves no other run, for this reason. */
  leaving: EndCause | null
  /** Of the secrets of the runs that it served; null while it served none. */
  variant: string | null
}

/** What a run needs of a session. */
export interface Ask {
  readonly deployment: Deployment
  readonly variant: string
  readonly network: readonly NetworkEntry[]
  readonly reach: string
}

/** Why a session ended. */
export const END_CAUSES = [
  'idle', // served nothing for too long
  'age',
  'runs', // served as many as it may
  'memory', // others needed the room
  'tenant_cap', // its tenant needed the place for another
  'surplus', // a spare more than the use of late asks for
  'flush',
  'retired', // its deployment is no longer active
  'outdated', // it saw other secrets, or may reach other hosts
  'broken',
  'used', // `fresh`: one run is all it serves
  'stop',
] as const
export type EndCause = (typeof END_CAUSES)[number]

/** Sessions by what they do. The idle ones are in the order in which they became idle. */
export interface Members {
  readonly idle: readonly Member[]
  readonly busy: Set<Member>
  /** It is idle from now on. */
  shelve(member: Member): void
  /** It is idle no more. */
  takeOff(member: Member): void
  /** The one that was used last: its memory is the warmest. Those that can serve no such run any more are taken off and ended. */
  take(ask: Ask): Member | null
  /** What is to go first: a spare beside other spares of its deployment, or else what was used longest ago. */
  first(tenant: string | null): Member | null
  sparesOf(deployment: string): Member[]
  /** Takes idle ones off and ends them. @returns How many. */
  dismiss(causeOf: (member: Member) => EndCause | null): number
}

export const isSpare = ({ session }: Member): boolean => session.calls === 0

/**
 * @param parts.worn Why a session serves no more, by its age and use.
 * @param parts.dispose Ends it, in its own time.
 */
export function createMembers(parts: {
  readonly worn: (member: Member) => EndCause | null
  readonly dispose: (member: Member, cause: EndCause) => void
}): Members {
  const idle: Member[] = []
  const busy = new Set<Member>()

  const sparesOf = (deployment: string): Member[] =>
    idle.filter((member) => isSpare(member) && member.deployment.id === deployment)

  const takeOff = (member: Member): void => void idle.splice(idle.indexOf(member), 1)

  function dismiss(causeOf: (member: Member) => EndCause | null): number {
    let count = 0
    for (const member of idle.slice()) {
      const cause = causeOf(member)
      if (cause === null) continue
      takeOff(member)
      parts.dispose(member, cause)
      count++
    }
    return count
  }

  return {
    idle,
    busy,
    shelve: (member) => void idle.push(member),
    takeOff,

    take({ deployment, variant, reach }) {
      dismiss((member) => {
        if (member.deployment.id !== deployment.id) return null
        const fits = member.reach === reach && (member.variant === null || member.variant === variant)
        return fits ? parts.worn(member) : 'outdated'
      })
      const found = idle.findLastIndex((member) => member.deployment.id === deployment.id)
      return found === -1 ? null : idle.splice(found, 1)[0]!
    },

    first(tenant) {
      const may = idle.filter(({ deployment }) => tenant === null || deployment.tenant === tenant)
      const surplus = may.filter((member) => isSpare(member) && sparesOf(member.deployment.id).length > 1)
      return (surplus.length > 0 ? surplus : may).toSorted((a, b) => a.lastUsed - b.lastUsed)[0] ?? null
    },

    sparesOf,
    dismiss,
  }
}
