import type { LogLine } from '../model/runs.ts'

/** Lines wait this long for company, in milliseconds: live for a reader, few transactions for the disk. */
const FLUSH_MS = 100
const FLUSH_LINES = 500

export interface LogBuffer {
  add(lines: readonly LogLine[]): void
  /** Stops flushing, waits for what is being written, and hands over the rest. */
  drain(): Promise<LogLine[]>
}

/**
 * Collects a run's log lines and appends them in batches.
 * @param append Writes a batch. After it threw or said false nothing more is written: the lease is lost or the disk is, and finishing will tell.
 */
export function createLogBuffer(append: (lines: LogLine[]) => Promise<boolean>): LogBuffer {
  let waiting: LogLine[] = []
  let timer: NodeJS.Timeout | null = null
  let writing: Promise<void> = Promise.resolve()
  let open = true

  function flush(): void {
    if (timer !== null) clearTimeout(timer)
    timer = null
    const batch = waiting
    if (batch.length === 0) return
    waiting = []
    writing = writing.then(async () => {
      if (!open) return
      try {
        open = await append(batch)
      } catch {
        // Not lost: the lines go back to the front and finish() writes them, or fails for the same reason and says so.
        waiting = [...batch, ...waiting]
      }
    })
  }

  return {
    add(lines) {
      if (!open) return
      waiting.push(...lines)
      if (waiting.length >= FLUSH_LINES) flush()
      else timer ??= setTimeout(flush, FLUSH_MS)
    },
    async drain() {
      if (timer !== null) clearTimeout(timer)
      timer = null
      await writing
      const rest = waiting
      waiting = []
      return open ? rest : []
    },
  }
}
