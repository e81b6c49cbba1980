import { type EventSourceMessage, createParser } from 'eventsource-parser'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LogLine, Run, RunEvent } from '../model/runs.ts'
import { packageOf } from './fixtures/packages.ts'
import { finish, line, take } from './fixtures/played-worker.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'

interface Accepted {
  run_id: string
  status: string
  code?: string
  errors?: { pointer: string }[]
}
interface Lines {
  items: LogLine[]
  next: string | null
}

const INVOKE = '/api/skills/adder/stages/dev/invoke'
let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ heartbeatMs: 20 })
  await server.deploy('adder', 'dev', packageOf('adder'))
})
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})

async function begin(headers: Record<string, string> = {}): Promise<string> {
  const { status, body } = await server.call<Accepted>('POST', INVOKE, { input: { a: 1 } }, { headers })
  expect(status).toBe(202)
  return body.run_id
}

interface Stream {
  readonly response: Response
  readonly events: RunEvent[]
  readonly comments: string[]
  readonly retries: number[]
  /** Reads on until it is so, or to the end. */
  until(enough: () => boolean): Promise<void>
  leave(): void
}

/** An SSE client of other people's making on a real socket. */
async function follow(id: string, lastEventId?: number): Promise<Stream> {
  const abort = new AbortController()
  const response = await fetch(`${server.url}/api/runs/${id}/events`, {
    headers: {
      authorization: `Bearer ${server.key}`,
      ...(lastEventId === undefined ? {} : { 'last-event-id': String(lastEventId) }),
    },
    signal: abort.signal,
  })
  const events: RunEvent[] = []
  const comments: string[] = []
  const retries: number[] = []
  const parser = createParser({
    onEvent(message: EventSourceMessage) {
      const event = JSON.parse(message.data) as RunEvent
      expect([message.id, message.event]).toEqual([String(event.seq), event.type])
      events.push(event)
    },
    onComment: (comment) => comments.push(comment),
    onRetry: (ms) => retries.push(ms),
  })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  return {
    response,
    events,
    comments,
    retries,
    async until(enough) {
      while (!enough()) {
        const chunk = await reader!.read()
        if (chunk.done) return
        parser.feed(chunk.value)
      }
    },
    leave: () => abort.abort(),
  }
}

const never = (): boolean => false

describe('following', () => {
  test('brings what was, what comes, and ends after the result', async () => {
    const id = await begin()
    const stream = await follow(id)
    expect(stream.response.headers.get('content-type')).toBe('text/event-stream')
    expect(stream.response.headers.get('cache-control')).toBe('no-store')
    await stream.until(() => stream.events.length === 1)
    const claim = await take(server.engine, id)
    await server.engine.runs.appendLogs(id, claim.token, [line('begun'), line('oops', 'stderr')])
    await stream.until(() => stream.events.length === 3)
    await finish(server.engine, claim)
    await stream.until(never)
    expect(stream.retries).toEqual([1000])
    expect(stream.events.map(({ seq }) => seq)).toEqual(stream.events.map((_, i) => i + 1))
    expect(stream.events.map(({ type }) => type)).toEqual(['status', 'status', 'log', 'result'])
    expect(stream.events[2]!.data).toMatchObject({ lines: [{ text: 'begun' }, { stream: 'stderr', text: 'oops' }] })
  })

  test('resumes after any event without a gap or a repeat', async () => {
    const id = await begin()
    const claim = await take(server.engine, id)
    for (let i = 0; i < 5; i++) await server.engine.runs.appendLogs(id, claim.token, [line(`line ${i}`)])
    await finish(server.engine, claim)
    const whole = await follow(id)
    await whole.until(never)
    for (const { seq } of whole.events.slice(0, -1)) {
      const rest = await follow(id, seq)
      await rest.until(never)
      expect(rest.events).toEqual(whole.events.slice(seq))
    }
    // Nothing is left: an EventSource must not come back for ever.
    expect((await follow(id, whole.events.length)).response.status).toBe(204)
    const odd = await server.call<Accepted>('GET', `/api/runs/${id}/events`, undefined, {
      headers: { 'last-event-id': 'x' },
    })
    expect(odd.body.code).toBe('bad_request')
  })

  test('a quiet stream is kept open by comments, and a client that leaves is let go', async () => {
    const id = await begin()
    const stream = await follow(id)
    await stream.until(() => stream.comments.length >= 3)
    expect(stream.comments[0]).toContain('heartbeat')
    stream.leave()
    const claim = await take(server.engine, id)
    await finish(server.engine, claim)
    expect((await server.call<Run>('GET', `/api/runs/${id}`)).body.status).toBe('succeeded')
  })
})

describe('logs', () => {
  test('come in pages of lines across events, or all as text', async () => {
    const id = await begin()
    const claim = await take(server.engine, id)
    const texts = Array.from({ length: 25 }, (_, i) => `line ${i}`)
    for (const part of [texts.slice(0, 3), texts.slice(3, 20), texts.slice(20)]) {
      await server.engine.runs.appendLogs(
        id,
        claim.token,
        part.map((text) => line(text)),
      )
    }
    const read = async (cursor: string | null): Promise<Lines> =>
      (await server.call<Lines>('GET', `/api/runs/${id}/logs?limit=4${cursor === null ? '' : `&cursor=${cursor}`}`))
        .body
    const seen: string[] = []
    let page = await read(null)
    while (page.items.length > 0) {
      expect(page.items.length).toBeLessThanOrEqual(4)
      seen.push(...page.items.map(({ text }) => text))
      page = await read(page.next)
    }
    expect(seen).toEqual(texts)
    // It still runs: the same cursor brings what is written later.
    expect(page.next).not.toBeNull()
    await finish(server.engine, claim, { logs: [line('the last', 'system')] })
    const last = await read(page.next)
    expect([last.items.map(({ text }) => text), last.next]).toEqual([['the last'], null])
    const text = await server.call<string>('GET', `/api/runs/${id}/logs`, undefined, {
      headers: { accept: 'text/plain' },
    })
    expect(text.headers.get('content-type')).toContain('text/plain')
    expect(
      text.body
        .trimEnd()
        .split('\n')
        .map((row) => row.slice(25)),
    ).toEqual([...texts.map((one) => `stdout ${one}`), 'system the last'])
    expect((await server.call('GET', `/api/runs/${id}/logs?cursor=odd`)).status).toBe(400)
  })
})
