import type { Deployment, Stage } from '../model/skills.ts'

/**
 * Told after the fact what stages serve: the session pool warms up and discards by it.
 * Called synchronously and not awaited; what takes time is the listener's own affair, and so is what fails in it.
 */
export interface StageListener {
  /** The stage serves this deployment now. `previous` is what it served before, if that is another one. */
  activated(change: { stage: Stage; deployment: Deployment; previous: string | null }): void
  /** The stage that served this deployment is gone. Queued runs of it are cancelled, running ones asked to stop. */
  retired(deployment: string): void
}
