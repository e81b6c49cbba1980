import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises'
import {
  type BlobShelves,
  type SweepStep,
  TENANT_SWEEPS,
  type TenantSweep,
  type UpkeepStore,
} from '../backends/upkeep-ports.ts'
import { createStrays } from './strays.ts'

export type SweptKind = TenantSweep | 'idempotency' | 'secrets' | 'blobs'
/** How many things are gone, by their kind; nothing of kinds of which nothing is gone. */
export type Swept = Readonly<Partial<Record<SweptKind, number>>>

/** Removes what is over and old, in the background. */
export interface Sweeper {
  /** From now on, from time to time. */
  start(): void
  /** Now, after a sweep that is under way. */
  sweep(): Promise<Swept>
  /** No blob is removed from when this resolves until the function that it answers with is called. */
  hold(): Promise<() => void>
  /** Lets the step under way end; nothing is swept any more. May be called twice. */
  stop(): Promise<void>
}

export interface SweeperParts {
  readonly store: Omit<UpkeepStore, 'copyTo'>
  readonly blobs: BlobShelves
  /** Told after each sweep that removed something. */
  readonly onSwept: (swept: Swept) => void
  readonly onError: (error: unknown, doing: string) => void
  /** The first sweep after `start`, and from the end of each to the next, in milliseconds, by chance up to a tenth longer. Default: 5 minutes; an hour. */
  readonly firstMs?: number | undefined
  readonly everyMs?: number | undefined
  /** What was written may be used only later: blobs and values that nothing refers to stay for so long. Default: an hour. */
  readonly graceMs?: number | undefined
}

/** Between two steps that remove something, in milliseconds: what is swept is in no hurry, others are. */
const PAUSE_MS = 10

/** After so many failures the rest is left to the next sweep: what fails so often is not the one tenant's rows. */
const MOST_FAILURES = 10

const DAY_MS = 86_400_000

export function createSweeper(parts: SweeperParts): Sweeper {
  const { store, blobs, onSwept, onError, firstMs = 300_000, everyMs = 3_600_000, graceMs = 3_600_000 } = parts
  const strays = createStrays(store, graceMs)
  const stopping = new AbortController()
  let timer: NodeJS.Timeout | null = null
  let tail: Promise<unknown> = Promise.resolve()
  let holds = 0
  let removing: Promise<unknown> = Promise.resolve()

  function schedule(ms: number): void {
    if (stopping.signal.aborted) return
    // Servers that were started together are not to sweep together.
    timer = setTimeout(() => void sweep().finally(() => schedule(everyMs)), ms * (1 + Math.random() / 10)).unref()
  }

  function sweep(): Promise<Swept> {
    const done = tail.then(all)
    tail = done
    return done
  }

  /** Never rejects. */
  async function all(): Promise<Swept> {
    const swept: Partial<Record<SweptKind, number>> = {}
    let failures = 0
    async function some(
      kind: SweptKind,
      what: string,
      step: (from: string | null) => Promise<SweepStep>,
    ): Promise<void> {
      if (failures >= MOST_FAILURES) return
      try {
        for (let from: string | null = null; !stopping.signal.aborted;) {
          const { removed, next } = await step(from)
          if (removed > 0) swept[kind] = (swept[kind] ?? 0) + removed
          await (removed > 0 ? pause(PAUSE_MS) : turn())
          if (next === null) return
          from = next
        }
      } catch (error) {
        failures++
        onError(error, `sweeping ${what}`)
      }
    }

    try {
      for await (const { tenant, days } of tenants()) {
        const before = Date.now() - days * DAY_MS
        for (const kind of TENANT_SWEEPS) {
          await some(kind, `${kind} of ${tenant}`, (from) => store.sweep(kind, tenant, before, from))
        }
      }
    } catch (error) {
      onError(error, 'sweeping: reading the tenants')
    }
    await some('idempotency', 'idempotency keys', () => store.sweepIdempotency(Date.now()))
    await some('secrets', 'values of secrets', (from) => strays.step(from))
    const pages = blobs.list()[Symbol.asyncIterator]()
    await some('blobs', 'blobs', () => sweepBlobs(pages))
    if (Object.keys(swept).length > 0) onSwept(swept)
    return swept
  }

  async function* tenants(): AsyncGenerator<{ tenant: string; days: number }, void> {
    for (let page = await store.retentions(null); page.length > 0; page = await store.retentions(page.at(-1)!.tenant)) {
      for (const one of page) if (!stopping.signal.aborted) yield one
    }
  }

  /** One page of them. */
  async function sweepBlobs(pages: AsyncIterator<readonly string[]>): Promise<SweepStep> {
    const page = await pages.next()
    if (page.done === true || holds > 0) return { removed: 0, next: null }
    let removed = 0
    for (const sha256 of await store.unusedBlobs(page.value)) {
      if (holds > 0 || stopping.signal.aborted) break
      // Asked again once nobody can put it: what refers to it is written after it was put.
      const unused = async (): Promise<boolean> => (await store.unusedBlobs([sha256])).length > 0
      const one = blobs.sweep(sha256, Date.now() - graceMs, unused)
      removing = one.catch(() => {})
      if (await one) removed++
    }
    return { removed, next: 'more' }
  }

  return {
    start: () => schedule(firstMs),
    sweep,

    async hold() {
      holds++
      await removing
      let released = false
      return () => {
        if (!released) holds--
        released = true
      }
    },

    async stop() {
      stopping.abort()
      if (timer !== null) clearTimeout(timer)
      await tail
    },
  }
}
