import { z } from 'zod'
import { Instant } from './json.ts'

/** How a tenant's part of one queue stands. */
export const QueueState = z
  .object({
    queue: z.enum(['default', 'long']),
    waiting: z.number().int().meta({ description: 'Runs that may begin.' }),
    running: z.number().int(),
    later: z.number().int().meta({ description: 'Runs that wait for a retry or for another run to end.' }),
    paused: z.number().int().meta({ description: 'Runs that wait for their stage or tenant to be resumed.' }),
    oldest_at: Instant.nullable().meta({ description: 'Since when the oldest of those that may begin waits.' }),
  })
  .meta({ id: 'QueueState' })
export type QueueState = z.infer<typeof QueueState>

/** The queues of a tenant. */
export const Queues = z
  .object({
    paused: z.boolean().meta({ description: 'The whole tenant: runs are taken in and wait.' }),
    paused_stages: z.array(z.string()).meta({ description: 'Ids of stages that are paused by themselves.' }),
    queues: z.array(QueueState),
  })
  .meta({ id: 'Queues' })
export type Queues = z.infer<typeof Queues>
