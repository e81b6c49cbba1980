import { z } from 'zod'

/** `spare`: ready, and has served nothing yet. */
export const SessionState = z.enum(['idle', 'busy', 'spare']).meta({ id: 'SessionState' })
export type SessionState = z.infer<typeof SessionState>

/** A sandbox that is kept: for one deployment, for one run at a time. */
export const SessionInfo = z
  .object({
    id: z.string(),
    skill: z.string(),
    stage: z.string(),
    deployment: z.string(),
    version: z.string(),
    state: SessionState,
    runs: z.number().int().meta({ description: 'That it has served, the one under way included.' }),
    age_ms: z.number().int(),
    idle_ms: z
      .number()
      .int()
      .nullable()
      .meta({ description: 'Since it served last, or since it was made; null while busy.' }),
    memory_mb: z.number().int().meta({ description: 'What it may take at the most.' }),
    network: z.boolean().meta({ description: 'Whether it may reach anything.' }),
  })
  .meta({ id: 'Session' })
export type SessionInfo = z.infer<typeof SessionInfo>

/** What a flush did, in sessions. */
export const Flushed = z
  .object({
    ended: z.number().int().meta({ description: 'That were idle: gone.' }),
    after_run: z.number().int().meta({ description: 'That serve a run: they end after it.' }),
  })
  .meta({ id: 'Flushed' })
export type Flushed = z.infer<typeof Flushed>
