import type { RequestLogEntry } from '../server.ts'

/** Lines are written together: a write for each would cost more than the request. */
const FLUSH_MS = 200
const FLUSH_CHARS = 2 ** 16

export interface RequestLines {
  add(entry: RequestLogEntry): void
  /** Writes what is still held back. */
  flush(): void
}

/** Writes a line for each request, at most 200 ms late. */
export function createRequestLines(write: (text: string) => void, format: 'json' | 'text'): RequestLines {
  const line = format === 'json' ? jsonLine : textLine
  let held = ''
  let timer: NodeJS.Timeout | undefined

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    if (held === '') return
    const text = held
    held = ''
    write(text)
  }

  return {
    add(entry) {
      held += line(entry)
      if (held.length >= FLUSH_CHARS) flush()
      else timer ??= setTimeout(flush, FLUSH_MS)
    },
    flush,
  }
}

/** With the same members first as the other lines of the server's log. */
const jsonLine = ({ at, ...entry }: RequestLogEntry): string =>
  `${JSON.stringify({ at, level: 'info', message: 'request', ...entry })}\n`

function textLine({ at, method, route, status, ms, request_id, client, principal }: RequestLogEntry): string {
  const what = `${method ?? '?'} ${route ?? '(not served)'} ${status ?? 'gone'} ${ms} ms`
  return `${at} ${what} ${principal ?? 'nobody'} from ${client ?? 'nowhere'} ${request_id}\n`
}
