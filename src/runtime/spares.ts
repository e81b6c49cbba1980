import type { NetworkEntry } from '../model/network.ts'
import type { Deployment } from '../model/skills.ts'

/** What of a deployment was asked for of late. */
export interface Demand {
  readonly deployment: Deployment
  /** What its last run could reach: its next one likely can, too. */
  readonly network: readonly NetworkEntry[]
}

/** How many unused sandboxes stand ready for a deployment: as many as it had runs under way at once, of late. */
export interface Spares {
  /** A run of it begins; its spares are to be like this. */
  began(demand: Demand): void
  /** It needs its sandbox no more. */
  ended(deployment: string): void
  /** That sandbox has gone: there is room for its successor. */
  gone(deployment: string): void
  /** One is wanted although no run has begun yet. */
  expect(demand: Demand): void
  /** Makes those that are missing, as far as there are processors for it; and goes on when there are. */
  fill(): void
  /** How many there should be. */
  target(deployment: string): number
  forget(deployment: string): void
  /** Drops what is over. */
  sweep(): void
}

interface Use extends Demand {
  running: number
  /** When it last showed that spares are wanted, as a number that only grows. */
  asked: number
  /** The most at once, in the window that goes on and in the one before. */
  peak: number
  before: number
  window: number
}

/** How long a use counts, in milliseconds: in the window in which it happens and in the one after. */
const WINDOW_MS = 60_000
/** For one deployment. */
const MOST = 8

/**
 * @param parts.ready How many there are, those being made included.
 * @param parts.mayMake Whether there is a processor for one more: those that wait for a sandbox of their own go first.
 * @param parts.make Makes one, if there is room. @returns Whether there was.
 */
export function createSpares(parts: {
  readonly ready: (deployment: string) => number
  readonly mayMake: () => boolean
  readonly make: (demand: Demand) => Promise<boolean>
  readonly now: () => number
}): Spares {
  const { ready, mayMake, make, now } = parts
  const uses = new Map<string, Use>()
  /** Those that may be short of spares. */
  const short = new Set<string>()
  let asks = 0

  function note({ deployment, network }: Demand, more: number): void {
    const use = current(uses.get(deployment.id)) ?? { running: 0, asked: 0, peak: 0, before: 0, window: now() }
    const running = use.running + more
    const peak = Math.max(use.peak, running, 1)
    uses.set(deployment.id, { ...use, deployment, network, running, peak })
    want(deployment.id)
  }

  function want(deployment: string): void {
    const use = uses.get(deployment)
    // It may have begun before its deployment was forgotten.
    if (use === undefined) return
    use.asked = ++asks
    short.add(deployment)
  }

  function current<U extends Use | undefined>(use: U): U {
    if (use === undefined) return use
    const over = now() - use.window
    if (over < WINDOW_MS) return use
    const before = over < 2 * WINDOW_MS ? use.peak : use.running
    return { ...use, before, peak: use.running, window: now() }
  }

  function target(deployment: string): number {
    const use = current(uses.get(deployment))
    return use === undefined ? 0 : Math.min(MOST, Math.max(use.peak, use.before, 1))
  }

  function fill(): void {
    for (const deployment of short) {
      while (mayMake() && ready(deployment) < target(deployment)) void one(uses.get(deployment)!)
      if (ready(deployment) >= target(deployment)) short.delete(deployment)
      if (!mayMake()) return
    }
  }

  async function one({ deployment, network, asked }: Use): Promise<void> {
    const { id } = deployment
    if (!(await make({ deployment, network }))) {
      // Without room, or where it failed, a run has to show that it is still wanted: maybe one did meanwhile, when this one still counted as coming.
      if ((uses.get(id)?.asked ?? asked) === asked) short.delete(id)
      else short.add(id)
    }
    fill()
  }

  return {
    began: (demand) => note(demand, 1),
    ended(deployment) {
      const use = uses.get(deployment)
      if (use !== undefined) use.running = Math.max(0, use.running - 1)
    },
    gone(deployment) {
      want(deployment)
      fill()
    },
    expect: (demand) => note(demand, 0),
    fill,
    target,
    forget(deployment) {
      uses.delete(deployment)
      short.delete(deployment)
    },
    sweep() {
      for (const [deployment, use] of uses) {
        const late = current(use)
        if (late.running === 0 && late.peak === 0 && late.before === 0 && ready(deployment) === 0)
          uses.delete(deployment)
        else uses.set(deployment, late)
      }
    },
  }
}
