import { setTimeout as pause } from 'node:timers/promises'
import { BEING_TRIED } from '../model/readiness.ts'
import type { Api, Readiness } from './api.ts'

/** How often it is asked again, and for how long at the most, in milliseconds. */
const ASK_MS = 100
const PATIENCE_MS = 30_000

/** What a server says of itself once it has tried its sandboxes: right after its start, the check `isolation` stands for those trials. */
export async function settledReadiness(api: Api, signal: AbortSignal): Promise<Readiness> {
  const began = performance.now()
  for (;;) {
    const { body } = await api.ready()
    const examining = body.checks.some(
      ({ name, ok, message }) => (name === 'isolation' && !ok) || message === BEING_TRIED,
    )
    if (!examining || performance.now() - began > PATIENCE_MS) return body
    await pause(ASK_MS, undefined, { signal })
  }
}
