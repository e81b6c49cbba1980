import { SandboxError } from './driver.ts'

export interface RoomOptions {
  /** The sum of the limits of all sandboxes that may exist at once, in MB. */
  readonly memory_mb: number
  /** Sessions in all. Default 64. */
  readonly maxSessions?: number | undefined
  /** Sessions of one tenant. Default: half of all. */
  readonly maxSessionsPerTenant?: number | undefined
}

/** What somebody needs room for: memory, and of a session one of the places that its tenant has. */
export interface Wish {
  /** All that the sandbox may take, in memory and in tmpfs. */
  readonly memory_mb: number
  /** Whose session it is; null for a tool, which takes memory only. */
  readonly tenant: string | null
}

export interface Seat {
  /** It will be free soon: nothing else has to go for the same need. */
  going(): void
  /** It is free. May be called twice. */
  leave(): void
}

/** Ends something idle, of the tenant or of anybody: calls `going` on its seat at once. False where nothing can go. */
export type GiveWay = (tenant: string | null) => boolean

/**
 * How much memory, and how many sessions, there is room for. Everything that runs what strangers wrote sits in it with its full limit,
 * also while it is idle: nobody knows what it holds. Who finds no room waits in line: nobody passes one who waits for memory or
 * for a place, so a large one gets its turn; those that wait for their own tenant's cap alone are passed by others.
 */
export class Room {
  readonly #memoryMb: number
  readonly #maxSessions: number
  readonly #maxPerTenant: number
  readonly #line: { readonly wish: Wish; readonly enter: (seat: Seat) => void }[] = []
  #giveWay: GiveWay = () => false
  readonly #taken = new Tally()
  /** Of what is taken: what will be free soon. */
  readonly #going = new Tally()

  constructor({ memory_mb, maxSessions = 64, maxSessionsPerTenant = Math.ceil(maxSessions / 2) }: RoomOptions) {
    this.#memoryMb = memory_mb
    this.#maxSessions = maxSessions
    this.#maxPerTenant = maxSessionsPerTenant
  }

  /** Who is asked to end what is idle. */
  whenFull(giveWay: GiveWay): void {
    this.#giveWay = giveWay
  }

  get state(): { readonly used_mb: number; readonly limit_mb: number; readonly waiting: number } {
    return { used_mb: this.#taken.mb, limit_mb: this.#memoryMb, waiting: this.#line.length }
  }

  /** @throws SandboxError when there will never be so much room; the signal's reason when aborted while waiting. */
  async enter(wish: Wish, signal?: AbortSignal): Promise<Seat> {
    signal?.throwIfAborted()
    if (wish.memory_mb > this.#memoryMb) throw tooLarge(wish.memory_mb, this.#memoryMb)
    const seat = this.offer(wish)
    if (seat !== null) return seat
    const { promise, resolve, reject } = Promise.withResolvers<Seat>()
    const waiting = { wish, enter: resolve }
    const abort = (): void => {
      const at = this.#line.indexOf(waiting)
      // It has a seat already and is about to hear of it.
      if (at === -1) return
      this.#line.splice(at, 1)
      reject(signal!.reason as Error)
      this.reconsider()
    }
    signal?.addEventListener('abort', abort, { once: true })
    this.#line.push(waiting)
    this.reconsider()
    try {
      return await promise
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  /** A seat that is free and that nobody waits for. Nothing goes for it. */
  offer(wish: Wish): Seat | null {
    const contested = this.#line.some((waiting) => this.shortage(waiting.wish) !== 'tenant')
    return contested || this.shortage(wish) !== null ? null : this.#seat(wish)
  }

  /** What is missing now: a place of the tenant's, or memory or a place of all; null: nothing. */
  shortage(wish: Wish): 'tenant' | 'room' | null {
    return this.#shortage(wish, NOTHING)
  }

  /** Something may go now that could not before: whoever waits for room gets it. */
  reconsider(): void {
    for (const waiting of this.#line.slice()) {
      const short = this.shortage(waiting.wish)
      if (short === 'tenant') continue
      if (short === 'room') break
      this.#line.splice(this.#line.indexOf(waiting), 1)
      waiting.enter(this.#seat(waiting.wish))
    }
    this.#makeWay()
  }

  /** As many go as those in line need, those that are on their way out included, and no more. */
  #makeWay(): void {
    const planned = new Tally()
    for (const { wish } of this.#line) {
      let short = this.#shortage(wish, planned, this.#going)
      while (short !== null && this.#giveWay(short === 'tenant' ? wish.tenant : null)) {
        short = this.#shortage(wish, planned, this.#going)
      }
      if (short === 'room') return
      if (short === null) planned.add(wish, 1)
    }
  }

  #shortage({ memory_mb, tenant }: Wish, planned: Tally, going: Tally = NOTHING): 'tenant' | 'room' | null {
    const sum = (of: (tally: Tally) => number): number => of(this.#taken) + of(planned) - of(going)
    if (tenant !== null && sum((tally) => tally.of(tenant)) >= this.#maxPerTenant) return 'tenant'
    if (tenant !== null && sum((tally) => tally.sessions) >= this.#maxSessions) return 'room'
    return sum((tally) => tally.mb) + memory_mb > this.#memoryMb ? 'room' : null
  }

  #seat(wish: Wish): Seat {
    this.#taken.add(wish, 1)
    let state: 'taken' | 'going' | 'left' = 'taken'
    return {
      going: () => {
        if (state !== 'taken') return
        state = 'going'
        this.#going.add(wish, 1)
      },
      leave: () => {
        if (state === 'left') return
        if (state === 'going') this.#going.add(wish, -1)
        state = 'left'
        this.#taken.add(wish, -1)
        this.reconsider()
      },
    }
  }
}

/** Memory and sessions, counted. */
class Tally {
  mb = 0
  sessions = 0
  readonly #tenants = new Map<string, number>()

  of(tenant: string): number {
    return this.#tenants.get(tenant) ?? 0
  }

  add({ memory_mb, tenant }: Wish, sign: 1 | -1): void {
    this.mb += sign * memory_mb
    if (tenant === null) return
    this.sessions += sign
    const count = this.of(tenant) + sign
    if (count === 0) this.#tenants.delete(tenant)
    else this.#tenants.set(tenant, count)
  }
}

const NOTHING = new Tally()

function tooLarge(wanted: number, limit: number): SandboxError {
  return new SandboxError(
    `A sandbox that may take ${wanted} MB is larger than the ${limit} MB that this server may give to all of them.`,
    'Choose a smaller size for the stage; or run the server where there is more memory, or with a larger --memory-factor.',
  )
}
