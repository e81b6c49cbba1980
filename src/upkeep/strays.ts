import type { StrayValue, SweepStep, UpkeepStore } from '../backends/upkeep-ports.ts'

/**
 * Values of the vault that no secret points at. One may be on its way: a value is written before its secret speaks of it. So it is removed
 * once it was found as it is for long enough.
 * @param graceMs How long.
 */
export function createStrays(store: Pick<UpkeepStore, 'strayValues' | 'removeStray'>, graceMs: number) {
  /** When each was first found, in milliseconds of `performance.now()`. */
  let suspects = new Map<string, number>()
  let found = new Map<string, number>()
  return {
    /** One page of them. @param from Null begins a new look at all. */
    async step(from: string | null): Promise<SweepStep> {
      if (from === null) {
        suspects = found
        found = new Map()
      }
      const page = await store.strayValues(from)
      let removed = 0
      for (const value of page.found) {
        const name = nameOf(value)
        const since = suspects.get(name) ?? performance.now()
        if (performance.now() - since >= graceMs && suspects.has(name))
          removed += Number(await store.removeStray(value))
        else found.set(name, since)
      }
      return { removed, next: page.next }
    },
  }
}

const nameOf = ({ path, revision, mark }: StrayValue): string => `${path} ${revision} ${mark}`
