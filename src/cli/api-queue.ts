import type { Queues } from '../model/queues.ts'
import type { Page } from '../model/page.ts'
import type { Stage } from '../model/skills.ts'
import type { RunSummary } from './run-summary.ts'
import type { Http } from './http.ts'

export interface DeadLetterQuery {
  readonly skill?: string | undefined
  readonly stage?: string | undefined
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

/** Calls about what waits, and about what failed for good. */
export const createQueueApi = ({ ok }: Http) => ({
  queues: (): Promise<Queues> => ok('GET', '/api/queues'),
  pauseQueues: (paused: boolean): Promise<Queues> => ok('POST', `/api/queues/${verbOf(paused)}`),
  pauseStage: (skill: string, stage: string, paused: boolean): Promise<Stage> =>
    ok('POST', `/api/skills/${encodeURIComponent(skill)}/stages/${encodeURIComponent(stage)}/${verbOf(paused)}`),
  listDeadLetters: (query: DeadLetterQuery): Promise<Page<RunSummary>> =>
    ok('GET', '/api/dead-letters', { query: { ...query } }),
  replayDeadLetter: (run: string): Promise<{ run_id: string }> => ok('POST', `${deadLetterPath(run)}/replay`),
  deleteDeadLetter: (run: string): Promise<void> => ok('DELETE', deadLetterPath(run)),
})

const verbOf = (paused: boolean): string => (paused ? 'pause' : 'resume')
const deadLetterPath = (run: string): string => `/api/dead-letters/${encodeURIComponent(run)}`
