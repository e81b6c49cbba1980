import type { Engine } from '../backends/ports.ts'
import type { RunFilter } from '../backends/run-ports.ts'
import type { Page } from '../model/page.ts'
import type { Caller } from '../model/access.ts'
import { noteOf } from '../model/audit.ts'
import { notFound } from '../model/errors.ts'
import type { Run } from '../model/runs.ts'

/** Runs that failed for good although they were tried again: somebody has to say what becomes of them. */
export interface DeadLetters {
  /** Newest first. */
  list(tenant: string, filter: RunFilter): Promise<Page<Run>>
  /**
   * As a new run; it is a dead letter no more. Two who do so at once get the same run.
   * @throws SkilletError not_found when it is no dead letter, not_replayable, input_invalid and what else refuses a run
   */
  replay(caller: Caller, id: string): Promise<Run>
  /** The run stays, as one that failed. @throws SkilletError not_found when it is no dead letter */
  dismiss(caller: Caller, id: string): Promise<void>
}

/** @param parts.replay Begins it again; the same key begins it once. */
export function createDeadLetters(parts: {
  engine: Pick<Engine, 'runs'>
  replay: (caller: Caller, before: Run, key: string) => Promise<Run>
}): DeadLetters {
  const { runs } = parts.engine

  return {
    list: (tenant, filter) => runs.list(tenant, { ...filter, deadLetters: true }),

    async replay(caller, id) {
      const before = await runs.find(caller.tenant, id)
      if (before === null || !before.dead_letter) throw notDead(id)
      // In the transaction that begins it anew it is a dead letter no more.
      return parts.replay(caller, before, id)
    },

    async dismiss(caller, id) {
      const note = noteOf(caller, 'run.dismiss', { kind: 'run', id })
      if ((await runs.dismiss(caller.tenant, id, note)) === null) throw notDead(id)
    },
  }
}

const notDead = (id: string) => notFound('dead letter', id)
