import type { Metrics } from './metrics.ts'

/**
 * Metrics whose library is loaded once the server has begun: what is measured before waits for it. A server that starts has better things
 * to do.
 */
export function createLateMetrics(): Metrics & { load(): Promise<void> } {
  let metrics: Metrics | null = null
  let loading: Promise<void> | null = null
  const early: ((metrics: Metrics) => void)[] = []
  const tell = (what: (metrics: Metrics) => void): void => {
    if (metrics === null) early.push(what)
    else what(metrics)
  }
  const load = (): Promise<void> =>
    (loading ??= import('./metrics.ts').then(({ createMetrics }) => {
      metrics = createMetrics()
      for (const what of early.splice(0)) what(metrics)
    }))
  return {
    load,
    engine: {
      committed: (ms, operations) => tell((to) => to.engine.committed(ms, operations)),
      runEnded: (run) => tell((to) => to.engine.runEnded(run)),
    },
    sessions: {
      started: (start, ms) => tell((to) => to.sessions.started(start, ms)),
      ended: (cause) => tell((to) => to.sessions.ended(cause)),
    },
    egress: {
      traffic: (more) => tell((to) => to.egress.traffic(more)),
      denied: (reason, times) => tell((to) => to.egress.denied(reason, times)),
    },
    request: (request) => tell((to) => to.request(request)),
    fired: (outcome, lateMs) => tell((to) => to.fired(outcome, lateMs)),
    attempted: (outcome, ms) => tell((to) => to.attempted(outcome, ms)),
    swept: (kind, count) => tell((to) => to.swept(kind, count)),
    async render(sources) {
      await load()
      return metrics!.render(sources)
    },
  }
}
