/** What runs and takes CPU time. */
export interface Contender {
  /** CPU time that it has taken so far, in milliseconds. Only differences count. */
  cpuMs(): number
  /**
   * From here on others go first. May be called again while it holds.
   * @param how.last It gets what all others leave over; or else a small share.
   * @param how.cpus CPUs' worth of time that it gets at the most; Infinity for as much as there is.
   */
  giveWay(how: { readonly last: boolean; readonly cpus: number }): void
  /** It takes its usual share again. @returns False where that cannot be had back. */
  takeTurn(): boolean
}

/** One run. CPU times in milliseconds. */
export interface Entry {
  readonly contender: Contender
  readonly before: number
  seen: number
  behind: boolean
  spoilt: boolean
}
