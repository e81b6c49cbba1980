import { z } from 'zod'
import { RunStatus } from '../model/runs.ts'

/** A run that was begun and is not waited for. */
export const Accepted = z.object({ run_id: z.string(), status: RunStatus }).meta({ id: 'Accepted' })
