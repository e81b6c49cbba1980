import { type EventSourceMessage, createParser } from 'eventsource-parser'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Claim, Ending } from '../backends/ports.ts'
import type { LogLine, Run, RunEvent } from '../model/runs.ts'
import { packageOf } from './fixtures/packages.ts'
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
const SUCCESS: Ending = {
  status: 'succeeded',
  reason: null,
  error: null,
  output: '{"sum":3}',
  session: null,
  warm: null,
  start_ms: 1,
  execution_ms: 2,
  usage: null,
  logs: [],
}

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ heartbeatMs: 20 })
  await server.deploy('adder', 'dev', packageOf('adder'))
})
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})

const line = (text: string, stream: LogLine['stream'] = 'stdout'): LogLine => ({
  at: new Date().toISOString(),
  stream,
  text,
})

async function begin(headers: Record<string, string> = {}): Promise<string> {
  const { status, body } = await server.call<Accepted>('POST', INVOKE, { input: { a: 1 } }, { headers })
  expect(status).toBe(202)
  return body.run_id
}

/** Takes the run as a worker would; what else is queued is left running. */
async function take(id: string): Promise<Claim> {
  for (;;) {
    const [claim] = await server.engine.runs.take('default', 1, 60_000)
    if (claim === undefined) throw new Error(`${id} is not queued.`)
    if (claim.run.id === id) return claim
  }
}

const finish = ({ run, token }: Claim, ending: Partial<Ending> = {}) =>
  server.engine.runs.finish(run.id, token, { ...SUCCESS, ...ending })

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

describe('invoking', () => {
  test('answers at once with where to look', async () => {
    const { status, headers, body } = await server.call<Accepted>('POST', INVOKE, { input: { a: 1 } })
    expect([status, body.status]).toEqual([202, 'queued'])
    expect(headers.get('location')).toBe(`/api/runs/${body.run_id}`)
    const run = await server.call<Run>('GET', headers.get('location')!)
    expect(run.body).toMatchObject({ id: body.run_id, status: 'queued', input: { a: 1 }, output: null })
  })

  test('waits as long as it is asked to', async () => {
    const late = await server.call<Accepted>('POST', INVOKE, { input: { a: 1 } }, { headers: { prefer: 'wait=0' } })
    expect([late.status, late.headers.get('preference-applied')]).toEqual([202, 'wait=0'])
    const waiting = server.call<Run>('POST', INVOKE, { input: { a: 5 } }, { headers: { prefer: 'wait=60' } })
    for (;;) {
      const [claim] = await server.engine.runs.take('default', 1, 60_000)
      if (claim === undefined) continue
      await finish(claim)
      if ((claim.run.input as { a: number }).a === 5) break
    }
    const { status, headers, body } = await waiting
    expect([status, headers.get('preference-applied')]).toEqual([200, 'wait=60'])
    expect(body).toMatchObject({ status: 'succeeded', output: { sum: 3 } })
  })

  test('wrong input is refused with its places', async () => {
    const { status, body } = await server.call<Accepted>('POST', INVOKE, { input: { a: 'one' } })
    expect([status, body.code, body.errors?.map(({ pointer }) => pointer)]).toEqual([400, 'input_invalid', ['/a']])
    expect((await server.call<Accepted>('POST', INVOKE, {})).body.code).toBe('input_invalid')
    const large = { a: 1, text: 'x'.repeat(6 * 2 ** 20) }
    expect(await server.call('POST', INVOKE, { input: large })).toMatchObject({
      status: 413,
      body: { code: 'input_too_large' },
    })
  })

  test('a key makes repeats the same run, quoted or bare', async () => {
    const send = (key: string, input: object) =>
      server.call<Accepted>('POST', INVOKE, { input }, { headers: { 'idempotency-key': key } })
    const first = await send('order-1', { a: 1, b: 2 })
    expect(first.headers.get('idempotent-replayed')).toBeNull()
    const again = await send('"order-1"', { b: 2, a: 1 })
    expect([again.status, again.body.run_id]).toEqual([202, first.body.run_id])
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect(await send('order-1', { a: 2 })).toMatchObject({ status: 422, body: { code: 'idempotency_mismatch' } })
  })
})

describe('listing', () => {
  test('filters by skill, stage and status, in pages, without payloads', async () => {
    const deployed = await server.deploy('listed', 'dev', packageOf('listed'))
    const invoke = (stage: string) =>
      server.call<Accepted>('POST', `/api/skills/listed/stages/${stage}/invoke`, { input: { a: 1 } })
    await server.call('POST', '/api/skills/listed/stages/dev/promote', { to: 'prod' })
    const dev = [(await invoke('dev')).body.run_id, (await invoke('dev')).body.run_id]
    const prod = (await invoke('prod')).body.run_id
    await server.call('POST', `/api/runs/${dev[0]}/cancel`)
    const ids = async (query: string): Promise<string[]> => {
      const { body } = await server.call<{ items: Run[]; next: string | null }>('GET', `/api/runs?${query}`)
      for (const run of body.items) expect(Object.keys(run)).not.toContain('input')
      return body.items.map(({ id }) => id)
    }
    expect(await ids('skill=listed')).toEqual([prod, dev[1], dev[0]])
    expect(await ids(`skill=${deployed.skill}&stage=dev`)).toEqual([dev[1], dev[0]])
    expect(await ids(`stage=${deployed.stage}`)).toEqual([dev[1], dev[0]])
    expect(await ids('skill=listed&status=cancelled')).toEqual([dev[0]])
    const page = await server.call<{ items: Run[]; next: string }>('GET', '/api/runs?skill=listed&limit=2')
    expect(await ids(`skill=listed&limit=2&cursor=${encodeURIComponent(page.body.next)}`)).toEqual([dev[0]])
    for (const [query, status] of [
      ['stage=dev', 400],
      ['skill=nowhere', 404],
      ['status=odd', 400],
    ] as const) {
      expect((await server.call('GET', `/api/runs?${query}`)).status).toBe(status)
    }
  })
})

describe('following', () => {
  test('brings what was, what comes, and ends after the result', async () => {
    const id = await begin()
    const stream = await follow(id)
    expect(stream.response.headers.get('content-type')).toBe('text/event-stream')
    expect(stream.response.headers.get('cache-control')).toBe('no-store')
    await stream.until(() => stream.events.length === 1)
    const claim = await take(id)
    await server.engine.runs.appendLogs(id, claim.token, [line('begun'), line('oops', 'stderr')])
    await stream.until(() => stream.events.length === 3)
    await finish(claim)
    await stream.until(never)
    expect(stream.retries).toEqual([1000])
    expect(stream.events.map(({ seq }) => seq)).toEqual(stream.events.map((_, i) => i + 1))
    expect(stream.events.map(({ type }) => type)).toEqual(['status', 'status', 'log', 'result'])
    expect(stream.events[2]!.data).toMatchObject({ lines: [{ text: 'begun' }, { stream: 'stderr', text: 'oops' }] })
  })

  test('resumes after any event without a gap or a repeat', async () => {
    const id = await begin()
    const claim = await take(id)
    for (let i = 0; i < 5; i++) await server.engine.runs.appendLogs(id, claim.token, [line(`line ${i}`)])
    await finish(claim)
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
    const claim = await take(id)
    await finish(claim)
    expect((await server.call<Run>('GET', `/api/runs/${id}`)).body.status).toBe('succeeded')
  })
})

describe('logs', () => {
  test('come in pages of lines across events, or all as text', async () => {
    const id = await begin()
    const claim = await take(id)
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
    await finish(claim, { logs: [line('the last', 'system')] })
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

describe('cancelling and replaying', () => {
  test('a queued run ends at once, a running one is asked to', async () => {
    const queued = await begin()
    const cancelled = await server.call<Run>('POST', `/api/runs/${queued}/cancel`)
    expect(cancelled.body).toMatchObject({ status: 'cancelled', started_at: null })
    const running = await begin()
    const claim = await take(running)
    expect((await server.call<Run>('POST', `/api/runs/${running}/cancel`)).body).toMatchObject({
      status: 'running',
      cancel_requested: true,
    })
    await finish(claim, { status: 'cancelled', output: null })
    expect((await server.call<Run>('POST', `/api/runs/${running}/cancel`)).body.status).toBe('cancelled')
  })

  test('a finished run can be run again, another one not yet', async () => {
    const id = await begin()
    expect((await server.call<Accepted>('POST', `/api/runs/${id}/replay`)).body.code).toBe('not_replayable')
    await finish(await take(id))
    const { status, body } = await server.call<Accepted>('POST', `/api/runs/${id}/replay`)
    expect(status).toBe(202)
    expect((await server.call<Run>('GET', `/api/runs/${body.run_id}`)).body).toMatchObject({
      replay_of: id,
      input: { a: 1 },
      status: 'queued',
    })
  })
})
