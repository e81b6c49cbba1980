import { type ResourceLimits, type Transferable, Worker } from 'node:worker_threads'
import { ThreadCrash } from './thread-errors.ts'
import { type FromThread, fromWire } from './wire.ts'

/** One worker thread and the request it works on. */
export class Thread {
  readonly #worker: Worker
  #alive = true
  #ready = Promise.withResolvers<void>()
  #request: PromiseWithResolvers<unknown> | null = null
  #complaint: unknown = undefined
  #resting: NodeJS.Timeout | null = null

  /** @param onExit Called once, when it is gone for whatever reason. */
  constructor(url: URL, resourceLimits: ResourceLimits | undefined, onExit: () => void) {
    this.#worker = new Worker(url, resourceLimits === undefined ? {} : { resourceLimits })
    this.#worker.on('message', (message: FromThread) => this.#hear(message))
    this.#worker.on('messageerror', (error) => this.#fail(error))
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', (code) => {
      this.#end(code)
      onExit()
    })
    // Whoever waits for readiness is told; without a waiter there is nobody to tell.
    this.#ready.promise.catch(() => {})
  }

  get alive(): boolean {
    return this.#alive
  }

  /** @param onBegin Called when the thread is up and gets the message: from then on it is working on it. */
  async run(message: unknown, transfer: readonly Transferable[], onBegin: () => void): Promise<unknown> {
    if (this.#resting !== null) clearTimeout(this.#resting)
    this.#resting = null
    this.#worker.ref()
    await this.#ready.promise
    if (!this.#alive) throw new ThreadCrash('A worker thread ended before it began its request.')
    const request = Promise.withResolvers<unknown>()
    this.#worker.postMessage(message, transfer)
    this.#request = request
    onBegin()
    return request.promise
  }

  /** Idle: keeps no process alive, and ends itself after a while. */
  rest(idleMs: number): void {
    this.#worker.unref()
    this.#resting = setTimeout(() => void this.kill(), idleMs).unref()
  }

  /** Ends it whatever it does, and waits until it is gone. */
  async kill(): Promise<void> {
    this.#alive = false
    if (this.#resting !== null) clearTimeout(this.#resting)
    await this.#worker.terminate()
  }

  #hear(message: FromThread): void {
    if ('ready' in message) return this.#ready.resolve()
    const request = this.#request
    this.#request = null
    if ('value' in message) request?.resolve(message.value)
    else request?.reject(fromWire(message.error))
  }

  #fail(error: unknown): void {
    this.#alive = false
    this.#complaint = error
    void this.#worker.terminate()
  }

  #end(code: number): void {
    this.#alive = false
    if (this.#resting !== null) clearTimeout(this.#resting)
    const why = this.#complaint instanceof Error ? this.#complaint.message : `exit code ${code}`
    const crash = new ThreadCrash(`A worker thread ended without an answer: ${why}`, { cause: this.#complaint })
    this.#ready.reject(crash)
    this.#request?.reject(crash)
    this.#request = null
  }
}
