import { setImmediate as otherWork } from 'node:timers/promises'
import type { ActivityStore, Only } from '../backends/flow-ports.ts'
import type { Activity } from '../model/activity.ts'
import { Bell } from './bell.ts'
import { ROUNDS, type Rounds } from './rounds.ts'
import { TURNS } from './turns.ts'

/** What a reader sees of what happens in its tenant; without conditions, all of it. */
export interface ActivityFilter {
  /** Id of a stage. */
  readonly stage?: string | undefined
  readonly only?: Only | undefined
  readonly types?: readonly Activity['type'][] | undefined
}

export interface ActivityFeed {
  /** Where a reader begins, as ActivityStore.present tells it. */
  present: ActivityStore['present']
  /** What comes after the cursor, in order, each once; waits for more until the abort. @param after As `present` gave it. */
  follow(tenant: string, filter: ActivityFilter, after: string, signal?: AbortSignal): AsyncIterable<Activity>
}

/** Rows that are read at once, and the most that wait for one reader: one that falls behind further reads them from the state itself. */
const PAGE = 200

/** What is new in a tenant is read once in this process, however many follow it, and handed to each of them. */
export function createActivityFeed(
  store: ActivityStore,
  options: { onError: (error: unknown, doing: string) => void; rounds?: Rounds },
): ActivityFeed {
  const { onError, rounds = ROUNDS } = options
  const tenants = new Map<string, TenantFeed>()

  async function* follow(
    tenant: string,
    filter: ActivityFilter,
    after: string,
    signal?: AbortSignal,
  ): AsyncGenerator<Activity, void, void> {
    const reader = new Reader(filter)
    const ring = (): void => reader.bell.ring()
    signal?.addEventListener('abort', ring, { once: true })
    const feed = tenants.get(tenant) ?? new TenantFeed(store, tenant, { onError, rounds })
    tenants.set(tenant, feed)
    try {
      await feed.join(reader)
      let seen = after
      while (signal?.aborted !== true) {
        reader.bell.arm()
        if (seen < reader.from) {
          const until = reader.from
          const page = await store.activity(tenant, seen, PAGE)
          for (const one of page) {
            seen = one.id
            if (reader.wants(one)) yield one
          }
          if (page.length < PAGE && seen < until) seen = until
          // One who wants little of a long history never waits for its client: others get their turn between pages.
          await otherWork()
          continue
        }
        const next = reader.take()
        if (next === undefined) {
          // All that was read was offered, also what this reader did not want.
          if (seen < feed.cursor) seen = feed.cursor
          await reader.bell.wait()
        } else if (next.id > seen) {
          seen = next.id
          yield next
        }
      }
    } finally {
      signal?.removeEventListener('abort', ring)
      if (feed.leave(reader)) tenants.delete(tenant)
    }
  }

  return { present: (tenant, after) => store.present(tenant, after), follow }
}

/** Reads what is new in one tenant while anybody follows it. */
class TenantFeed {
  /** What comes after it was not read yet. */
  cursor = ''
  readonly #store: ActivityStore
  readonly #tenant: string
  readonly #onError: (error: unknown, doing: string) => void
  readonly #begun: Promise<void>
  readonly #ends: readonly (() => void)[]
  /** Those that joined, also while it had not begun yet. */
  readonly #readers = new Set<Reader>()
  #reading = true
  #more = false

  constructor(
    store: ActivityStore,
    tenant: string,
    { onError, rounds }: { onError: (error: unknown, doing: string) => void; rounds: Rounds },
  ) {
    this.#store = store
    this.#tenant = tenant
    this.#onError = onError
    const look = (): void => void this.#read()
    // Watch before the first look, or what happens between the two would be missed.
    this.#ends = [store.watchActivity(tenant, look), rounds.join(look)]
    this.#begun = this.#begin()
    // Told to whoever joins.
    this.#begun.catch(() => {})
  }

  /** @throws what the store throws when it cannot be read */
  async join(reader: Reader): Promise<void> {
    this.#readers.add(reader)
    await this.#begun
    reader.from = this.cursor
  }

  /** @returns Whether it was the last one; then this is over. */
  leave(reader: Reader): boolean {
    this.#readers.delete(reader)
    if (this.#readers.size > 0) return false
    for (const end of this.#ends) end()
    return true
  }

  async #begin(): Promise<void> {
    this.cursor = await this.#store.present(this.#tenant)
    this.#reading = false
    if (this.#more) void this.#read()
  }

  async #read(): Promise<void> {
    this.#more = true
    if (this.#reading) return
    this.#reading = true
    try {
      while (this.#more) {
        this.#more = false
        const page = await this.#store.activity(this.#tenant, this.cursor, PAGE)
        if (page.length === 0) continue
        if (page.length === PAGE) this.#more = true
        this.cursor = page.at(-1)!.id
        for (const reader of this.#readers) reader.offer(page, this.cursor)
      }
    } catch (error) {
      // Tried again at the next hint, or in the next round.
      this.#onError(error, `reading what happens in tenant ${this.#tenant}`)
    } finally {
      this.#reading = false
    }
  }
}

/** One who follows, and what waits for it: all that it wants after `from` that was read. */
class Reader {
  readonly bell = new Bell()
  from = ''
  readonly #filter: ActivityFilter
  #waiting: Activity[] = []

  constructor(filter: ActivityFilter) {
    this.#filter = filter
  }

  wants({ type, skill, stage, stage_name }: Activity): boolean {
    const { stage: one, only, types } = this.#filter
    if (one !== undefined && one !== stage) return false
    if (types !== undefined && !types.includes(type)) return false
    if (only === undefined) return true
    return only.some(
      ({ skills, stages }) =>
        (skills === null || skills.includes(skill)) &&
        (stages === null || (stage_name !== null && stages.includes(stage_name))),
    )
  }

  offer(page: readonly Activity[], cursor: string): void {
    const wanted = page.filter((one) => this.wants(one))
    if (wanted.length === 0) return
    if (this.#waiting.length + wanted.length > PAGE) {
      this.#waiting = []
      this.from = cursor
    } else this.#waiting.push(...wanted)
    TURNS.wake(this.bell)
  }

  take(): Activity | undefined {
    return this.#waiting.shift()
  }
}
