/** What failed and is not tried again for a while: twice as long each time. */
export class Postponed {
  readonly #entries = new Map<string, { readonly until: number; readonly delay: number }>()
  /** Those that were asked for since `begin`. */
  #seen = new Set<string>()

  begin(): void {
    this.#seen = new Set()
  }

  /** Forgets those that nobody asked for since `begin`: they are gone. */
  end(): void {
    for (const key of this.#entries.keys()) if (!this.#seen.has(key)) this.#entries.delete(key)
  }

  holds(key: string): boolean {
    const entry = this.#entries.get(key)
    if (entry === undefined) return false
    this.#seen.add(key)
    return entry.until > performance.now()
  }

  again(key: string): void {
    const delay = Math.min((this.#entries.get(key)?.delay ?? FIRST_MS / 2) * 2, LONGEST_MS)
    this.#entries.set(key, { until: performance.now() + delay, delay })
    this.#seen.add(key)
  }

  forget(key: string): void {
    this.#entries.delete(key)
  }
}

const FIRST_MS = 1000
const LONGEST_MS = 60_000
