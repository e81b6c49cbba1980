import { cleanText } from './clean-text.ts'
import { type Io, painter } from './io.ts'
import { duration } from './table.ts'

/** What is going on, on stderr: one line a step, with its time once it is over. */
export interface Progress {
  /** Ends the step before. */
  begin(what: string): void
  /** @param share Of the present step, 0 to 1; shown on a terminal only. */
  amount(share: number): void
  end(): void
  note(text: string): void
}

export function createProgress(io: Pick<Io, 'err' | 'tty' | 'env'>): Progress {
  const paint = painter(io, 'err')
  let step: { what: string; began: number } | null = null
  let percent = -1

  function end(): void {
    if (step === null) return
    const time = paint('dim', duration(performance.now() - step.began))
    io.err(`${io.tty.err ? '\r\u001b[K' : ''}${paint('green', 'ok')}  ${step.what}  ${time}\n`)
    step = null
  }

  return {
    begin(text) {
      end()
      const what = cleanText(text)
      step = { what, began: performance.now() }
      percent = -1
      if (io.tty.err) io.err(`..  ${what}`)
    },
    amount(share) {
      const now = Math.floor(share * 100)
      if (step === null || !io.tty.err || now === percent) return
      percent = now
      io.err(`\r\u001b[K..  ${step.what}  ${now} %`)
    },
    end,
    note(text) {
      end()
      io.err(`    ${paint('dim', text)}\n`)
    },
  }
}
