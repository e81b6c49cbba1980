import { setTimeout as pause } from 'node:timers/promises'
import type { Api } from './api.ts'
import type { Random } from './random.ts'

export interface Load {
  readonly complaints: string[]
  /** Lets the callers end what they ask for. */
  stop(): Promise<void>
}

/** Skills and how often each is asked for. */
const MIX = ['quick-py', 'quick-py', 'quick-ts', 'quick-ts', 'slow', 'flaky'] as const

/**
 * Callers that invoke until they are told to stop, whatever becomes of the server; some cancel what they asked for.
 * @param name Of this load, so that its keys are none of another's.
 * @param acknowledged Is given the runs that the server said it has.
 */
export function startLoad(
  api: Api,
  random: Random,
  {
    name,
    callers,
    acknowledged,
  }: { readonly name: string; readonly callers: number; readonly acknowledged: Set<string> },
): Load {
  const byKey = new Map<string, string>()
  const complaints: string[] = []
  let stopped = false

  async function caller(number: number): Promise<void> {
    for (let i = 0; !stopped; i++) {
      const skill = random.pick(MIX)
      const key = `${name}-${number}-${i}`
      const id = await invoke(skill, key, { number, i })
      // Asked a second time with the same key, it is the same run.
      if (random.chance(0.1) && (await invoke(skill, key, { number, i })) !== id) complaints.push(`${key}: two runs`)
      if (random.chance(0.05)) await api.try('POST', `/api/runs/${id}/cancel`)
      await pause(random.below(40))
    }
  }

  async function invoke(skill: string, key: string, input: unknown): Promise<string> {
    const { run_id: id } = await api.ask<{ run_id: string }>(
      'POST',
      `/api/skills/${skill}/stages/dev/invoke`,
      { input },
      { 'idempotency-key': `"${key}"` },
    )
    acknowledged.add(id)
    if ((byKey.get(key) ?? id) !== id) complaints.push(`${key}: ${byKey.get(key)}, then ${id}`)
    byKey.set(key, id)
    return id
  }

  const all = Promise.all(Array.from({ length: callers }, (_, number) => caller(number)))
  return {
    complaints,
    async stop() {
      stopped = true
      await all
    },
  }
}
