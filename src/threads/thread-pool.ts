import type { ResourceLimits, Transferable } from 'node:worker_threads'
import { createFairLine } from './fair-line.ts'
import { ThreadCrash, ThreadTimeout } from './thread-errors.ts'
import { Thread } from './thread.ts'

export interface ThreadPoolOptions {
  /** The worker's entry file, which calls `serveThread`; see `workerUrl`. */
  readonly url: URL
  /** How many threads at the most; each is started when it is first needed. */
  readonly size: number
  /** How long an idle thread is kept, in milliseconds. Default 30,000. */
  readonly idleMs?: number
  /** Limits of each thread's heap: more kills it, and its call rejects with ThreadCrash. */
  readonly resourceLimits?: ResourceLimits
}

export interface CallOptions {
  /** Deadline in milliseconds, counted from when a thread begins the call. Default: none. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** For whom: parties take turns, and where there are several threads none has all of them. Default: nobody in particular. */
  readonly party?: string | undefined
  /** Buffers that are handed over instead of copied. */
  readonly transfer?: readonly Transferable[] | undefined
}

export interface ThreadPool {
  /**
   * Runs one request on a thread; calls beyond `size` wait in line, each party in its own.
   * @throws ThreadTimeout when the deadline passed: the thread was killed, whatever it did.
   * @throws ThreadCrash when the thread died by itself, such as by its heap limit, or the pool is closed.
   * @throws the signal's reason when aborted, and whatever the handler throws.
   */
  call<T>(message: unknown, options?: CallOptions): Promise<T>
  /** Kills all threads; calls under way reject with ThreadCrash. May be called twice. */
  close(): Promise<void>
}

/** Worker threads for what may block or run away: one request at a time each, killed and replaced when it takes too long. */
export function createThreadPool({ url, size, idleMs = 30_000, resourceLimits }: ThreadPoolOptions): ThreadPool {
  const idle: Thread[] = []
  const all = new Set<Thread>()
  const line = createFairLine<Job>(Math.max(1, size - 1))
  let closed = false

  function pump(): void {
    for (;;) {
      // One that is just ending its rest still stands in the line of the idle.
      while (idle.at(-1)?.alive === false) idle.pop()
      if (idle.length === 0 && all.size >= size) return
      const job = line.next()
      if (job === null) return
      void work(idle.pop() ?? start(), job)
    }
  }

  function start(): Thread {
    const thread = new Thread(url, resourceLimits, () => {
      all.delete(thread)
      const at = idle.indexOf(thread)
      if (at >= 0) idle.splice(at, 1)
      pump()
    })
    all.add(thread)
    return thread
  }

  async function work(thread: Thread, job: Job): Promise<void> {
    let timer: NodeJS.Timeout | null = null
    const { message, transfer = [], timeoutMs, signal } = job
    // The promise is settled before the thread is gone: a killed thread's own complaint comes too late to count.
    const end = (error: unknown): void => {
      job.reject(error)
      void thread.kill()
    }
    const onAbort = (): void => end(signal?.reason)
    signal?.removeEventListener('abort', job.leave)
    signal?.addEventListener('abort', onAbort, { once: true })
    const onBegin = (): void => {
      if (timeoutMs !== undefined) timer = setTimeout(() => end(new ThreadTimeout(timeoutMs)), timeoutMs)
    }
    try {
      job.resolve(await thread.run(message, transfer, onBegin))
    } catch (error) {
      job.reject(error)
    } finally {
      if (timer !== null) clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      line.done(job.party ?? null)
    }
    if (thread.alive) {
      thread.rest(idleMs)
      idle.push(thread)
    }
    pump()
  }

  return {
    call<T>(message: unknown, options: CallOptions = {}): Promise<T> {
      const { promise, resolve, reject } = Promise.withResolvers<T>()
      const { signal } = options
      if (closed) reject(new ThreadCrash('The thread pool is closed.'))
      else if (signal?.aborted === true) reject(signal.reason as Error)
      else {
        const leave = (): void => {
          line.remove(job.party ?? null, job)
          reject(signal?.reason)
        }
        const job: Job = { ...options, message, resolve: resolve as Job['resolve'], reject, leave }
        signal?.addEventListener('abort', leave, { once: true })
        line.add(job.party ?? null, job)
        pump()
      }
      return promise
    },

    async close() {
      closed = true
      for (const job of line.clear()) {
        job.signal?.removeEventListener('abort', job.leave)
        job.reject(new ThreadCrash('The thread pool was closed.'))
      }
      await Promise.all([...all].map((thread) => thread.kill()))
    },
  }
}

interface Job extends CallOptions {
  readonly message: unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  /** Takes the job out of the line when it is aborted there. */
  readonly leave: () => void
}
