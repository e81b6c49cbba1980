import { setImmediate as turn } from 'node:timers/promises'
import { FrameReader, type HostMessage, ProtocolFault } from './protocol.ts'
import type { Sandbox } from './sandbox.ts'

/** The pipes of a running host, to whoever listens now. */
export interface HostLine {
  send(frame: Buffer): void
  onMessage: (message: HostMessage | ProtocolFault) => void
  onOutput: (stream: 'stdout' | 'stderr', chunk: Buffer) => void
  /** The sandbox has ended; everything that it wrote has been handed over. */
  onGone: (how: { code: number | null; signal: NodeJS.Signals | null }) => void
  /** Takes no output for a moment, so that a flood does not keep the server busy. */
  slowDown(stream: 'stdout' | 'stderr'): void
  /** One of the two has ended: a run can shut down what later runs write to as well. When the sandbox ends, both do. */
  readonly muted: boolean
}

/** @param held Whether it waits to be told to begin. */
export function openHostLine(sandbox: Sandbox, held: boolean): HostLine {
  let muted = false
  const line: HostLine = {
    get muted() {
      return muted
    },
    send: (frame) => void sandbox.extra[0].write(frame),
    onMessage: () => undefined,
    onOutput: () => undefined,
    onGone: () => undefined,
    slowDown(stream) {
      sandbox[stream].pause()
      setTimeout(() => sandbox[stream].resume(), PAUSE_MS).unref()
    },
  }
  const reader = new FrameReader()
  let [faulty, waiting] = [false, held]
  sandbox.stdin.end()
  sandbox.extra[1].on('data', (chunk: Buffer) => {
    if (faulty) return
    if (waiting) {
      waiting = false
      void sandbox.tied().then(() => sandbox.extra[1].write('\n'))
      return
    }
    try {
      for (const message of reader.push(chunk)) line.onMessage(message)
    } catch (error) {
      if (!(error instanceof ProtocolFault)) throw error
      faulty = true
      line.onMessage(error)
    }
  })
  sandbox.stdout.on('data', (chunk: Buffer) => line.onOutput('stdout', chunk))
  sandbox.stderr.on('data', (chunk: Buffer) => line.onOutput('stderr', chunk))
  for (const stream of [sandbox.stdout, sandbox.stderr]) stream.once('end', () => (muted = true))
  void sandbox.ended.then((how) => line.onGone(how))
  return line
}

/** What was written before a frame arrived in the same turn of the event loop: after two turns all of it has been read. */
export async function outputRead(): Promise<void> {
  await turn()
  await turn()
}

/** One read is 64 KiB: at most some megabytes a second. */
const PAUSE_MS = 10
