import type { QueueName } from '../../model/sizes.ts'
import type { Transaction } from './database.ts'

/** Who wants to know when a run or a queue may have changed: told after the commit, in this process only. */
export class Watchers {
  readonly #runs = new Map<string, Set<(over: boolean) => void>>()
  readonly #queues = new Set<(queue: QueueName) => void>()

  watchRun(id: string, wake: (over: boolean) => void): () => void {
    const set = this.#runs.get(id) ?? new Set()
    // Wrapped, so that one function given twice is two watches.
    const watch = (over: boolean): void => wake(over)
    this.#runs.set(id, set.add(watch))
    return () => {
      set.delete(watch)
      if (set.size === 0 && this.#runs.get(id) === set) this.#runs.delete(id)
    }
  }

  watchQueue(wake: (queue: QueueName) => void): () => void {
    const watch = (queue: QueueName): void => wake(queue)
    this.#queues.add(watch)
    return () => this.#queues.delete(watch)
  }

  /** @param over The run has ended. */
  runChanged(t: Transaction, id: string, over: boolean = false): void {
    t.afterCommit(() => {
      for (const wake of this.#runs.get(id) ?? []) wake(over)
    })
  }

  queueChanged(t: Transaction, queue: QueueName): void {
    t.afterCommit(() => {
      for (const wake of this.#queues) wake(queue)
    })
  }
}
