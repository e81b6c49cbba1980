import { now } from '../model/json.ts'

/** When keys or links were last used: collected here and written in one go, so that no request waits for it. */
export interface LastUsed {
  note(id: string): void
  /** Writes what was collected, and collects no more. May be called twice. */
  close(): Promise<void>
}

/** A last use is written at most this often, in milliseconds. */
const FLUSH_MS = 30_000

/** @param touch Writes them. @param options.onError Told when writing failed: what was to be written is tried again with the next. */
export function createLastUsed(
  touch: (uses: readonly { readonly id: string; readonly at: string }[]) => Promise<void>,
  options: { onError: (error: unknown, doing: string) => void; clock: () => number; flushMs?: number },
): LastUsed {
  const { onError, clock, flushMs = FLUSH_MS } = options
  const uses = new Map<string, number>()
  let timer: NodeJS.Timeout | null = null
  let writing: Promise<void> = Promise.resolve()
  let closed = false

  async function flush(): Promise<void> {
    timer = null
    const batch = [...uses]
    uses.clear()
    try {
      await touch(batch.map(([id, at]) => ({ id, at: now(at) })))
    } catch (error) {
      for (const [id, at] of batch) if (!uses.has(id)) uses.set(id, at)
      onError(error, 'writing when keys and links were last used')
      if (!closed) wake()
    }
  }

  function wake(): void {
    timer ??= setTimeout(() => {
      writing = flush()
    }, flushMs).unref()
  }

  return {
    note(id) {
      if (closed) return
      uses.set(id, clock())
      wake()
    },

    async close() {
      if (!closed) {
        closed = true
        if (timer !== null) clearTimeout(timer)
        await writing
        if (uses.size > 0) writing = flush()
      }
      await writing
    },
  }
}
