import type { ServerResponse } from 'node:http'
import type { Live } from './live.ts'

/** In milliseconds, see StreamTimes. */
export interface LiveStreamOptions {
  readonly heartbeatMs: number
  readonly slowMs: number
  readonly recheckMs: number
}

/** Larger frames are sent in pieces of so many bytes, so that it can be seen that a slow client takes them. */
const PIECE = 64 * 2 ** 10

/** Of thousands at once none needs an error with a stack of its own. */
const STOPPED = 'stopped'

interface Source {
  readonly live: Live
  readonly recheck: () => Promise<boolean>
  readonly onFault: (error: unknown) => void
}

/**
 * One open stream: sends what happens straight to the socket, and takes the next event only when the client has taken the last ones, so
 * that no more is held for it than a socket's buffer and one event. Has no timer of its own: it is looked at from outside.
 */
export class LiveStream {
  readonly #outgoing: ServerResponse
  readonly #source: Source
  readonly #times: LiveStreamOptions
  readonly #stopped = new AbortController()
  /** When the last thing was sent, and when it was last asked whether the client may read this. */
  #sentAt = performance.now()
  #checkedAt = this.#sentAt
  /** Bytes that it took, and for how long it has taken none. */
  #took = 0
  #stuckMs = 0
  #resume: (() => void) | null = null

  /** Begins at once. @param outgoing With its head written. */
  constructor(outgoing: ServerResponse, source: Source, times: LiveStreamOptions) {
    this.#outgoing = outgoing
    this.#source = source
    this.#times = times
    // A socket that breaks closes, too, which ends this; written to nobody is told.
    outgoing.on('error', () => this.stop())
    void this.#run()
  }

  /** Sends what is under way, and ends. */
  stop(): void {
    this.#stopped.abort(STOPPED)
    this.#resume?.()
  }

  /** @param at performance.now() @param passed Milliseconds since the last look in which the client could take something. */
  look(at: number, passed: number): void {
    const { heartbeatMs, recheckMs } = this.#times
    if (this.#isStuck(passed)) {
      // It can come back and go on after the last event that it took.
      this.#outgoing.destroy()
      return
    }
    if (this.#stopped.signal.aborted) return
    if (at - this.#sentAt >= heartbeatMs && !this.#outgoing.writableNeedDrain) this.#write(': heartbeat\n\n')
    if (at - this.#checkedAt >= recheckMs) {
      this.#checkedAt = at
      void this.#recheck()
    }
  }

  #isStuck(passed: number): boolean {
    const { socket, writableLength } = this.#outgoing
    const took = (socket?.bytesWritten ?? 0) - writableLength
    this.#stuckMs = writableLength === 0 || took !== this.#took ? 0 : this.#stuckMs + passed
    this.#took = took
    return this.#stuckMs >= this.#times.slowMs
  }

  async #recheck(): Promise<void> {
    try {
      if (!(await this.#source.recheck())) this.stop()
    } catch (error) {
      this.#source.onFault(error)
    }
  }

  async #run(): Promise<void> {
    const { live, onFault } = this.#source
    try {
      for await (const item of live.follow(this.#stopped.signal)) {
        if (this.#outgoing.destroyed) return
        await this.#send(live.frameOf(item))
      }
      const { socket } = this.#outgoing
      // Who was sent away would only hold the connection that it had.
      this.#outgoing.end(() => this.#stopped.signal.aborted && socket?.end())
    } catch (error) {
      // Cut off, so that the client knows that there was more, and comes back.
      if (!this.#stopped.signal.aborted) onFault(error)
      this.#outgoing.destroy()
    }
  }

  async #send(frame: string | Uint8Array): Promise<void> {
    if (frame.length <= PIECE) {
      if (!this.#write(frame)) await this.#taken()
      return
    }
    const bytes = typeof frame === 'string' ? Buffer.from(frame) : frame
    // Half an event is none: who was sent away gets it when it comes back.
    for (let at = 0; at < bytes.length && !this.#stopped.signal.aborted; at += PIECE) {
      if (!this.#write(bytes.subarray(at, at + PIECE))) await this.#taken()
    }
  }

  #write(text: string | Uint8Array): boolean {
    this.#sentAt = performance.now()
    return this.#outgoing.write(text)
  }

  async #taken(): Promise<void> {
    if (this.#stopped.signal.aborted) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#resume = resolve
    this.#outgoing.once('drain', resolve)
    await promise
    this.#outgoing.off('drain', resolve)
    this.#resume = null
  }
}
