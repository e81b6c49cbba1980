/** The call took longer than its deadline and its thread was killed. */
export class ThreadTimeout extends Error {
  readonly timeoutMs: number
  constructor(timeoutMs: number) {
    super(`A worker thread did not answer within ${timeoutMs} ms and was killed.`)
    this.name = 'ThreadTimeout'
    this.timeoutMs = timeoutMs
  }
}

/** The thread ended without an answer. */
export class ThreadCrash extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ThreadCrash'
  }
}
