import type { DeniedAttempt, DenialReason } from './egress.ts'

/** Attempts that were refused, counted until they are told. */
export interface Denials {
  add(host: string, port: number | null, why: DenialReason): void
  /** Tells at once what was not told yet. */
  flush(): void
  /** Flushes; nothing is told later. */
  close(): void
}

/** The first is told at once, those after it together. */
const PAUSE_MS = 300
/** Different ones between two tellings; what is over them is told as one for each reason. */
const DIFFERENT = 16
const OTHERS = '(others)'

export function createDenials(tell: (attempt: DeniedAttempt) => void): Denials {
  const counts = new Map<string, DeniedAttempt>()
  let timer: NodeJS.Timeout | null = null

  function flush(): void {
    const all = [...counts.values()]
    counts.clear()
    for (const attempt of all) tell(attempt)
  }
  function count(host: string, port: number | null, why: DenialReason): void {
    const key = `${why} ${port} ${host}`
    const before = counts.get(key)
    if (before === undefined && counts.size >= DIFFERENT && host !== OTHERS) count(OTHERS, null, why)
    else counts.set(key, { host, port, why, times: (before?.times ?? 0) + 1 })
  }
  function rest(): void {
    timer = setTimeout(() => {
      timer = null
      if (counts.size === 0) return
      flush()
      rest()
    }, PAUSE_MS)
  }

  return {
    add(host, port, why) {
      count(printable(host), port, why)
      if (timer !== null) return
      flush()
      rest()
    },
    flush,
    close() {
      if (timer !== null) clearTimeout(timer)
      flush()
    },
  }
}

function printable(host: string): string {
  return host.slice(0, 253).replace(/[^\x21-\x7e]/g, '?') || '.'
}
