/** Who has how much of something of which there is not enough for everybody at once. What is too much is for others to say. */
export interface Shares {
  /** What one party has. */
  of(party: string): number
  /** What all have together. */
  all(): number
  /** @returns Gives it back, however often it is called. */
  take(party: string, amount: number): () => void
}

export function createShares(): Shares {
  const parts = new Map<string, number>()
  let all = 0

  function add(party: string, amount: number): void {
    all += amount
    const part = (parts.get(party) ?? 0) + amount
    // Whoever has nothing is forgotten: there may be many, in a server's life.
    if (part === 0) parts.delete(party)
    else parts.set(party, part)
  }

  return {
    of: (party) => parts.get(party) ?? 0,
    all: () => all,
    take(party, amount) {
      add(party, amount)
      let given = false
      return () => {
        if (given) return
        given = true
        add(party, -amount)
      }
    },
  }
}
