import type { LogLine } from '../../model/runs.ts'
import { now } from '../../model/json.ts'
import { LIMITS } from '../../model/sizes.ts'

/** Turns what a run writes to stdout and stderr into lines that are safe to show, up to the limit of a run's log. */
export interface LogLines {
  write(stream: 'stdout' | 'stderr', chunk: Buffer): void
  /** Gives out what has no line end yet. */
  end(): void
  /** True once something was left out. */
  readonly cut: boolean
}

export function createLogLines(onLog: (lines: LogLine[]) => void): LogLines {
  const open: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] }
  const openBytes = { stdout: 0, stderr: 0 }
  let bytes = 0
  let count = 0
  let cut = false

  function write(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    if (cut) return
    const lines: LogLine[] = []
    const at = now()
    let rest = chunk.subarray(0, LIMITS.logBytes - bytes)
    bytes += rest.length
    const over = rest.length < chunk.length
    while (rest.length > 0 && count < MAX_LINES) {
      const room = LINE_BYTES - openBytes[stream]
      const newline = rest.subarray(0, room + 1).indexOf(10)
      if (newline === -1 && rest.length <= room) {
        // Copied: a piece of a line must not hold on to the whole chunk.
        open[stream].push(Buffer.from(rest))
        openBytes[stream] += rest.length
        break
      }
      const end = newline === -1 ? wholeCharacters(rest, room) : newline
      open[stream].push(rest.subarray(0, end))
      lines.push(take(stream, at))
      rest = rest.subarray(newline === -1 ? end : newline + 1)
    }
    if (over || count >= MAX_LINES) {
      for (const each of ['stdout', 'stderr'] as const) if (openBytes[each] > 0) lines.push(take(each, at))
      cut = true
      lines.push({ at, stream: 'system', text: CUT })
    }
    if (lines.length > 0) onLog(lines)
  }

  function take(stream: 'stdout' | 'stderr', at: string): LogLine {
    const text = harmless(Buffer.concat(open[stream]).toString('utf8'))
    open[stream] = []
    openBytes[stream] = 0
    count++
    return { at, stream, text }
  }

  return {
    write,
    end() {
      const at = now()
      const lines = (['stdout', 'stderr'] as const).flatMap((each) => (openBytes[each] > 0 ? [take(each, at)] : []))
      if (lines.length > 0) onLog(lines)
    },
    get cut() {
      return cut
    },
  }
}

/** A longer line is split. */
const LINE_BYTES = 8192
/** Lines cost more than their bytes. */
const MAX_LINES = 20_000
const CUT = `The log was cut here: a run's log holds at most ${LIMITS.logBytes} bytes and ${MAX_LINES} lines.`

/** Not in the middle of a UTF-8 character, if that is what it is. */
function wholeCharacters(bytes: Buffer, end: number): number {
  for (let back = 0; back < 4 && end - back > 0; back++) {
    if ((bytes[end - back]! & 0xc0) !== 0x80) return end - back
  }
  return end
}

/** Terminal commands go; other control characters and those that turn the direction of text become visible. */
function harmless(line: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line
  return text.replace(ESCAPES, '').replace(CONTROLS, '\ufffd')
}

// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const ESCAPES = /\u001b(?:\[[0-9:;<=>?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[ -/]*[0-Z\\^-~])/g
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const CONTROLS = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g
