import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { httpServer } from '../../tests/support/http-server.ts'
import { type RunStreamEvent, followRun } from './follow-run.ts'

test('a connection that breaks is made again after the last event, without a gap or a repeat', async () => {
  let connections = 0
  await using server = await httpServer((_, response) => {
    switch (++connections) {
      case 1:
        begin(response)
        response.write(`${frame(1, 'status', { status: 'running' })}${frame(2, 'log', { lines: [] })}id: 3\nevent: lo`)
        // Let what was written go out, then cut in the middle of an event.
        setImmediate(() => response.destroy())
        break
      case 2:
        response.writeHead(503, { 'content-type': 'application/problem+json' }).end('{}')
        break
      default:
        begin(response)
        response.end(`${frame(3, 'log', { lines: [] })}${frame(4, 'result', { status: 'succeeded' })}`)
    }
  })
  const seen = await all(followRun(new URL(server.url), 'sk_test'))
  expect(seen.map(({ seq, type }) => [seq, type])).toEqual([
    [1, 'status'],
    [2, 'log'],
    [3, 'log'],
    [4, 'result'],
  ])
  expect(server.requests.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '2', '2'])
  expect(server.requests[0]!.headers.authorization).toBe('Bearer sk_test')
})

test('a refusal is not tried again', async () => {
  await using server = await httpServer((_, response) => {
    response.writeHead(404, { 'content-type': 'application/problem+json' })
    response.end(JSON.stringify({ code: 'not_found', detail: 'There is no run "x".', fix: 'List.' }))
  })
  await expect(all(followRun(new URL(server.url), 'sk_test'))).rejects.toMatchObject({
    exitCode: 5,
    message: 'There is no run "x".',
  })
  expect(server.requests).toHaveLength(1)
})

test('an abort ends the wait for events', async () => {
  const controller = new AbortController()
  await using server = await httpServer((_, response) => {
    begin(response)
    response.write(frame(1, 'status', { status: 'queued' }))
  })
  const events = followRun(new URL(server.url), 'sk_test', controller.signal)
  expect((await events.next()).value).toMatchObject({ seq: 1 })
  const next = events.next()
  controller.abort()
  await expect(next).rejects.toThrow('abort')
})

function begin(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
}

function frame(seq: number, type: string, data: unknown): string {
  return `id: ${seq}\nevent: ${type}\ndata: ${JSON.stringify({ seq, type, at: '2026-11-21T08:00:00.000Z', data })}\n\n`
}

async function all(events: AsyncIterable<RunStreamEvent>): Promise<RunStreamEvent[]> {
  const seen: RunStreamEvent[] = []
  for await (const event of events) seen.push(event)
  return seen
}
