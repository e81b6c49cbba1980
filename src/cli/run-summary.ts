import type { Run } from '../model/runs.ts'

/** A run in a list. */
export type RunSummary = Omit<Run, 'input' | 'output'>
