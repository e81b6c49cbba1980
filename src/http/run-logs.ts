import type { Engine } from '../backends/ports.ts'
import type { Page } from '../model/page.ts'
import { SkilletError } from '../model/errors.ts'
import { type LogLine, type Run, isTerminal } from '../model/runs.ts'

type Events = Pick<Engine['runs'], 'events'>

/** Where reading goes on: the line with this index within the event with this number. */
interface Place {
  readonly seq: number
  readonly line: number
}

/** How many events are read at once. */
const EVENTS = 50

/**
 * One page of a run's log lines, oldest first. `next` is null only when the run has ended and all was read:
 * of a run that goes on, the same cursor brings what comes.
 * @throws SkilletError bad_request for a cursor that is none
 */
export async function logPage(
  events: Events,
  run: Run,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Page<LogLine>> {
  const items: LogLine[] = []
  let place = cursor === undefined ? { seq: 0, line: 0 } : placeOf(cursor)
  for await (const { lines, seq, skip } of logEvents(events, run, place)) {
    const room = limit - items.length
    const fresh = lines.slice(skip, skip + room)
    items.push(...fresh)
    const read = skip + fresh.length
    place = read < lines.length ? { seq, line: read } : { seq: seq + 1, line: 0 }
    if (items.length >= limit) return { items, next: cursorOf(place) }
  }
  return { items, next: isTerminal(run.status) ? null : cursorOf(place) }
}

/** All lines until now as text, one a line: instant, stream, what was written. */
export function logText(events: Events, run: Run): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  const source = logEvents(events, run, { seq: 0, line: 0 })
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value, done } = await source.next()
        if (done === true) return controller.close()
        const lines = value.lines.map(({ at, stream, text }) => `${at} ${stream} ${text}\n`)
        controller.enqueue(encoder.encode(lines.join('')))
      },
      async cancel() {
        await source.return(undefined)
      },
    },
    { highWaterMark: 0 },
  )
}

/** The log events from a place on; `skip` lines of the first one were read before. */
async function* logEvents(
  events: Events,
  { tenant, id }: Run,
  from: Place,
): AsyncGenerator<{ lines: LogLine[]; seq: number; skip: number }, undefined> {
  let after = Math.max(0, from.seq - 1)
  for (;;) {
    const page = await events.events(tenant, id, after, EVENTS)
    for (const { seq, type, data } of page) {
      after = seq
      if (type !== 'log') continue
      yield { lines: (data as { lines: LogLine[] }).lines, seq, skip: seq === from.seq ? from.line : 0 }
    }
    if (page.length < EVENTS) return
  }
}

const cursorOf = ({ seq, line }: Place): string => `${seq}.${line}`

function placeOf(cursor: string): Place {
  const match = /^(\d{1,9})\.(\d{1,9})$/.exec(cursor)
  if (match === null) throw new SkilletError('bad_request', `"${cursor}" is not a cursor of this list.`)
  return { seq: Number(match[1]), line: Number(match[2]) }
}
