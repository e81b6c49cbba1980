/** Waits for one of a few places. Parties take turns: whoever brings a thousand waits for them, and nobody else does. */
export interface FairLine<T> {
  /** @param party Whose it is. Null: nobody's in particular, which is a party too, without a limit of its own. */
  add(party: string | null, item: T): void
  /** Takes out one that still waits. */
  remove(party: string | null, item: T): void
  /** Whose turn it is, if there is any; counts as under way until `done`. */
  next(): T | null
  done(party: string | null): void
  /** Takes out all that wait. */
  clear(): T[]
}

/** @param mostOfOne How many of one party are under way at the most. */
export function createFairLine<T>(mostOfOne: number): FairLine<T> {
  // In the order of their turns: who was served goes to the end, and who comes anew begins there.
  const waiting = new Map<string | null, T[]>()
  const underWay = new Map<string | null, number>()

  const busy = (party: string | null): number => underWay.get(party) ?? 0

  function first(): string | null | undefined {
    let found: string | null | undefined
    for (const party of waiting.keys()) {
      if (party !== null && busy(party) >= mostOfOne) continue
      if (found === undefined || busy(party) < busy(found)) found = party
      if (busy(found) === 0) break
    }
    return found
  }

  return {
    add(party, item) {
      const items = waiting.get(party)
      if (items === undefined) waiting.set(party, [item])
      else items.push(item)
    },
    remove(party, item) {
      const items = waiting.get(party)?.filter((one) => one !== item) ?? []
      if (items.length > 0) waiting.set(party, items)
      else waiting.delete(party)
    },
    next() {
      const party = first()
      if (party === undefined) return null
      const items = waiting.get(party)!
      const item = items.shift()!
      waiting.delete(party)
      if (items.length > 0) waiting.set(party, items)
      underWay.set(party, busy(party) + 1)
      return item
    },
    done(party) {
      if (busy(party) > 1) underWay.set(party, busy(party) - 1)
      else underWay.delete(party)
    },
    clear() {
      const all = [...waiting.values()].flat()
      waiting.clear()
      return all
    },
  }
}
