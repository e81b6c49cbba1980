import { isatty } from 'node:tty'
import { styleText } from 'node:util'

/** The outside of the command: its process, or a test. */
export interface Io {
  /** Results. */
  out(text: string): void
  /** Progress and errors. */
  err(text: string): void
  readonly stdin: NodeJS.ReadableStream
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** Whether people read stdout, read stderr, and type into stdin. */
  readonly tty: { readonly out: boolean; readonly err: boolean; readonly in: boolean }
  readonly platform: NodeJS.Platform
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
}

/** The process's own. */
export function processIo(signal: AbortSignal): Io {
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    stdin: process.stdin,
    env: process.env,
    cwd: process.cwd(),
    tty: { out: isatty(1), err: isatty(2), in: isatty(0) },
    platform: process.platform,
    signal,
  }
}

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'
export type Paint = (style: Style, text: string) => string

/** Colours for one stream: none unless people read it and did not opt out (no-color.org). */
export function painter(io: Pick<Io, 'tty' | 'env'>, stream: 'out' | 'err'): Paint {
  const colourful = io.tty[stream] && !io.env['NO_COLOR']
  return (style, text) => (colourful ? styleText(style, text, { validateStream: false }) : text)
}
