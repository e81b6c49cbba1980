import type { LogLine } from '../../model/runs.ts'
import { now } from '../../model/json.ts'
import type { Redactor } from '../driver.ts'
import { LIMITS } from '../../model/sizes.ts'

/** Turns what a run writes to stdout and stderr into lines that are safe to show, up to the limit of a run's log. */
export interface LogLines {
  write(stream: 'stdout' | 'stderr', chunk: Buffer): void
  /** A line of the platform's own. */
  note(text: string): void
  /** Gives out what has no line end yet. */
  end(): void
  /** True once something was left out. */
  readonly cut: boolean
}

/**
 * @param redactor Takes secrets out, also one that is written in pieces, has terminal commands in it, or stands where a long line is
 * split: as much is held back as may belong to one. Default: none.
 */
export function createLogLines(onLog: (lines: LogLine[]) => void, redactor: Redactor | null = null): LogLines {
  const open: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] }
  const openBytes = { stdout: 0, stderr: 0 }
  /** A line is split here, or later where a secret may go on. */
  const splitAt = { stdout: LINE_BYTES, stderr: LINE_BYTES }
  let bytes = 0
  let count = 0
  let cut = false

  function write(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    if (cut) return
    const lines: LogLine[] = []
    const at = now()
    let rest = chunk.subarray(0, Math.max(0, LIMITS.logBytes - bytes))
    bytes += rest.length
    const over = rest.length < chunk.length
    while (rest.length > 0 && count < MAX_LINES) {
      const room = splitAt[stream] - openBytes[stream]
      const newline = rest.subarray(0, room + 1).indexOf(10)
      if (newline === -1 && rest.length <= room) {
        // Copied: a piece of a line must not hold on to the whole chunk.
        open[stream].push(Buffer.from(rest))
        openBytes[stream] += rest.length
        break
      }
      const end = newline === -1 ? wholeCharacters(rest, room) : newline
      open[stream].push(rest.subarray(0, end))
      openBytes[stream] += end
      if (newline !== -1) lines.push(take(stream, at))
      else lines.push(...split(stream, at))
      rest = rest.subarray(newline === -1 ? end : newline + 1)
    }
    if (over || count >= MAX_LINES) {
      for (const each of ['stdout', 'stderr'] as const) if (openBytes[each] > 0) lines.push(take(each, at, 'piece'))
      cut = true
      lines.push({ at, stream: 'system', text: CUT })
    }
    if (lines.length > 0) onLog(lines)
  }

  /** A line that is too long is shown as far as no secret and no terminal command is cut by that. */
  function split(stream: 'stdout' | 'stderr', at: string): LogLine[] {
    if (redactor === null) return [take(stream, at)]
    const raw = Buffer.concat(open[stream]).toString('utf8')
    const safe = beforeCommand(raw, redactor.safeLength(raw))
    const text = harmless(redactor.redact(raw.slice(0, safe)))
    const end = redactor.safeLength(text)
    const kept = Buffer.from(text.slice(end) + raw.slice(safe))
    // What is looked at again doubles each time, so that looking takes time by the length of the log alone.
    splitAt[stream] = end === 0 ? 2 * splitAt[stream] : Math.max(LINE_BYTES, 2 * kept.length)
    if (end === 0) return []
    open[stream] = [kept]
    openBytes[stream] = kept.length
    count++
    return [{ at, stream, text: redactor.redact(text.slice(0, end)) }]
  }

  function take(stream: 'stdout' | 'stderr', at: string, as: 'line' | 'piece' = 'line'): LogLine {
    const text = shown(Buffer.concat(open[stream]).toString('utf8'), as)
    open[stream] = []
    openBytes[stream] = 0
    splitAt[stream] = LINE_BYTES
    count++
    return { at, stream, text }
  }

  /** Looked at twice: a secret may have been written with terminal commands in between. */
  function shown(raw: string, as: 'line' | 'piece'): string {
    if (redactor === null) return harmless(raw)
    const once = redactor.redact(raw)
    const text = harmless(once)
    if (as === 'piece') return redactor.redactPiece(text)
    return text === once ? text : redactor.redact(text)
  }

  return {
    write,
    note(text) {
      if (cut || bytes >= LIMITS.logBytes || count >= MAX_LINES) return
      bytes += Buffer.byteLength(text)
      count++
      onLog([{ at: now(), stream: 'system', text: shown(text, 'line') }])
    },
    end() {
      const at = now()
      // Whoever is killed while it writes may have got no further than into a secret.
      const lines = (['stdout', 'stderr'] as const).flatMap((each) =>
        openBytes[each] > 0 ? [take(each, at, 'piece')] : [],
      )
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

/** The place, or where the terminal command begins in whose middle it is. */
function beforeCommand(text: string, place: number): number {
  return UNENDED.exec(text.slice(0, place))?.index ?? place
}

/** Terminal commands go; other control characters and those that turn the direction of text become visible. */
function harmless(line: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line
  return text.replace(ESCAPES, '').replace(CONTROLS, '\ufffd')
}

// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const ESCAPES = /\u001b(?:\[[0-9:;<=>?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[ -/]*[0-Z\\^-~])/g
/** An ESCAPE that may go on. */
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const UNENDED = /\u001b(?:\[[0-9:;<=>?]*[ -/]*|\][^\u0007\u001b]*\u001b?|[ -/]*)$/
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const CONTROLS = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g
