import { setTimeout as pause } from 'node:timers/promises'
import type { TorturedServer } from './server.ts'

/** Speaks to a server that may not be there: waits for it and asks again, with the same key for the same request. */
export interface Api {
  /** The answer, sooner or later. @throws Error for one that says no */
  ask<T>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<T>
  /** One try. Null: there was no answer, or one that says that the server cannot just now. */
  try(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer | null>
}

export interface Answer {
  readonly status: number
  readonly body: unknown
}

/** An answer that takes longer is given up: its server may have been stopped. */
const PATIENCE_MS = 10_000

export function createApi(server: TorturedServer, key: () => string): Api {
  const attempt: Api['try'] = async (method, path, body, headers = {}) => {
    const url = await server.url
    try {
      const answer = await fetch(new URL(path, url), {
        method,
        headers: {
          authorization: `Bearer ${key()}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(PATIENCE_MS),
      })
      const text = await answer.text()
      const json = answer.headers.get('content-type')?.includes('json') === true
      // A full disk is a 500, too: nothing was acknowledged.
      return answer.status >= 500 ? null : { status: answer.status, body: json ? (JSON.parse(text) as unknown) : text }
    } catch {
      return null // killed, stopped or cut off under the request: that is what it is there for
    }
  }

  return {
    try: attempt,
    async ask<T>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<T> {
      for (;;) {
        const answer = await attempt(method, path, body, headers)
        if (answer !== null && answer.status < 300) return answer.body as T
        if (answer !== null) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
        await pause(50)
      }
    },
  }
}

/** All pages of a list. */
export async function all<T>(api: Api, path: string): Promise<T[]> {
  const items: T[] = []
  let cursor: string | null = null
  do {
    const mark = path.includes('?') ? '&' : '?'
    const page: { items: T[]; next: string | null } = await api.ask(
      'GET',
      `${path}${mark}limit=200${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
    )
    items.push(...page.items)
    cursor = page.next
  } while (cursor !== null)
  return items
}
