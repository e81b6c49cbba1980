import { parseCron } from './cron.ts'
import { type Instants, createInstants } from './instants.ts'

/** @throws SkilletError cron_invalid; RangeError when the runtime does not know the zone. */
export type Expressions = (cron: string, zone: string) => Instants

/**
 * Compiles expressions, each once: that takes longer than asking them.
 * @param size How many are kept, least recently used out first: a formatter of a zone's clocks is not small. Default 256.
 */
export function createExpressions(size: number = 256): Expressions {
  const kept = new Map<string, Instants>()
  return (cron, zone) => {
    const key = `${zone} ${cron}`
    const instants = kept.get(key) ?? createInstants(parseCron(cron), zone)
    kept.delete(key)
    kept.set(key, instants)
    if (kept.size > size) kept.delete(kept.keys().next().value!)
    return instants
  }
}
