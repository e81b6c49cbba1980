/** A wake-up that is not lost when it comes before the wait. */
export class Bell {
  #rung = false
  #wake: (() => void) | null = null

  arm(): void {
    this.#rung = false
  }

  ring(): void {
    this.#rung = true
    this.#wake?.()
  }

  /** @param ms At most so long; without it no timer is set. */
  async wait(ms?: number): Promise<void> {
    if (this.#rung) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = ms === undefined ? undefined : setTimeout(resolve, ms)
    this.#wake = resolve
    try {
      await promise
    } finally {
      this.#wake = null
      clearTimeout(timer)
    }
  }
}
