import type { Run } from '../../model/runs.ts'
import type { QueueName } from '../../model/sizes.ts'
import type { EngineObserver } from '../observer.ts'
import type { EndedRun } from '../run-ports.ts'
import type { Transaction } from './database.ts'

/** Who wants to know when something may have changed: told after the commit, in this process only. */
export class Watchers {
  readonly #runs = new Map<string, Set<(ended: EndedRun | null) => void>>()
  readonly #tenants = new Map<string, Set<() => void>>()
  readonly #queues = new Set<(queue: QueueName) => void>()
  readonly #schedules = new Set<() => void>()
  readonly #deliveries = new Set<() => void>()

  readonly #observer: EngineObserver | undefined

  constructor(observer?: EngineObserver) {
    this.#observer = observer
  }

  watchRun(id: string, wake: (ended: EndedRun | null) => void): () => void {
    return watchKey(this.#runs, id, wake)
  }

  watchTenant(id: string, wake: () => void): () => void {
    return watchKey(this.#tenants, id, wake)
  }

  watchQueue(wake: (queue: QueueName) => void): () => void {
    return watch(this.#queues, wake)
  }

  watchSchedules(wake: () => void): () => void {
    return watch(this.#schedules, wake)
  }

  watchDeliveries(wake: () => void): () => void {
    return watch(this.#deliveries, wake)
  }

  /** For those who count, once: its ending is written in this transaction. */
  runEnded(t: Transaction, run: Run): void {
    t.afterCommit(() => this.#observer?.runEnded(run))
  }

  /** @param ended That is what changed. */
  runChanged(t: Transaction, id: string, ended: EndedRun | null = null): void {
    t.afterCommit(() => {
      for (const wake of this.#runs.get(id) ?? []) wake(ended)
    })
  }

  /** There is more to read in what happens in the tenant. */
  tenantChanged(t: Transaction, id: string): void {
    t.afterCommit(() => {
      for (const wake of this.#tenants.get(id) ?? []) wake()
    })
  }

  queueChanged(t: Transaction, queue: QueueName): void {
    t.afterCommit(() => {
      for (const wake of this.#queues) wake(queue)
    })
  }

  schedulesChanged(t: Transaction): void {
    t.afterCommit(() => {
      for (const wake of this.#schedules) wake()
    })
  }

  deliveriesChanged(t: Transaction): void {
    t.afterCommit(() => {
      for (const wake of this.#deliveries) wake()
    })
  }
}

function watch<Wake extends (...args: never[]) => void>(set: Set<Wake>, wake: Wake): () => void {
  // Wrapped, so that one function given twice is two watches.
  const own = ((...args) => wake(...args)) as Wake
  set.add(own)
  return () => set.delete(own)
}

function watchKey<Wake extends (...args: never[]) => void>(
  map: Map<string, Set<Wake>>,
  key: string,
  wake: Wake,
): () => void {
  const set = map.get(key) ?? new Set()
  map.set(key, set)
  const end = watch(set, wake)
  return () => {
    end()
    if (set.size === 0 && map.get(key) === set) map.delete(key)
  }
}
