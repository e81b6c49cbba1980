/** A Ctrl-C may arrive more than once: from the terminal and from every parent that passes it on. Milliseconds. */
const SAME_PRESS_MS = 1500

/** Aborted by SIGINT and SIGTERM. A second one that is meant, because stopping takes too long, ends the process at once. */
export function interruptionSignal(): AbortSignal {
  const controller = new AbortController()
  let first = 0
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      const now = performance.now()
      if (controller.signal.aborted && now - first > SAME_PRESS_MS) process.exit(130)
      if (controller.signal.aborted) return
      first = now
      controller.abort(new Error(`Stopped by ${signal}.`))
    })
  }
  return controller.signal
}
