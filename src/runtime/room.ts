/** How many sessions, and how much memory in all, there is room for. Who finds none waits in line. */
export class Room {
  readonly #maxSessions: number
  readonly #maxMb: number
  readonly #makeRoom: () => boolean
  readonly #line: { memoryMb: number; enter: () => void }[] = []
  #sessions = 0
  #mb = 0

  /** @param makeRoom Ends something that may go, and says whether there was such a thing. */
  constructor(maxSessions: number, maxMb: number, makeRoom: () => boolean) {
    this.#maxSessions = maxSessions
    this.#maxMb = maxMb
    this.#makeRoom = makeRoom
  }

  get usedMb(): number {
    return this.#mb
  }

  /** @throws the signal's reason when aborted while waiting. */
  async enter(memoryMb: number, signal?: AbortSignal): Promise<void> {
    if (this.#line.length === 0 && this.#admit(memoryMb)) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiting = { memoryMb, enter: resolve }
    const abort = (): void => {
      this.#line.splice(this.#line.indexOf(waiting), 1)
      reject(signal!.reason as Error)
    }
    signal?.addEventListener('abort', abort, { once: true })
    this.#line.push(waiting)
    this.#makeRoom()
    try {
      await promise
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  leave(memoryMb: number): void {
    this.#sessions--
    this.#mb -= memoryMb
    while (this.#line.length > 0 && this.#admit(this.#line[0]!.memoryMb)) this.#line.shift()!.enter()
    // Whoever still waits may need more than one to go.
    this.reconsider()
  }

  /** Something may go now that could not before: whoever waits for room gets it. */
  reconsider(): void {
    if (this.#line.length > 0) this.#makeRoom()
  }

  #admit(memoryMb: number): boolean {
    // One session always fits, or a large one on a small machine would wait for ever.
    const fits = this.#sessions < this.#maxSessions && this.#mb + memoryMb <= this.#maxMb
    if (!fits && this.#sessions > 0) return false
    this.#sessions++
    this.#mb += memoryMb
    return true
  }
}
