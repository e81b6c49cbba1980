import { EventSource } from 'eventsource'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Activity } from '../model/activity.ts'
import { Bell } from '../runs/bell.ts'
import { type CutLine, openCutLine } from './fixtures/cut-line.ts'
import { readEvents } from './fixtures/event-reader.ts'
import { packageOf } from './fixtures/packages.ts'
import { finish, line, take } from './fixtures/played-worker.ts'
import { CURSORS, type TestServer, startTestServer } from './fixtures/test-server.ts'

const PLACES = { 'adder/dev': null, 'adder/prod': null, 'other/dev': null }
type PlaceName = keyof typeof PLACES

let server: TestServer
let cutLine: CutLine
beforeAll(async () => {
  server = await startTestServer({ heartbeatMs: 20 })
  cutLine = await openCutLine(server.url)
  for (const place of Object.keys(PLACES)) {
    const [skill, stage] = place.split('/') as [string, string]
    await server.deploy(skill, stage, packageOf(skill))
  }
})
afterAll(async () => {
  await cutLine.close()
  expect(server.faults).toEqual([])
  await server.close()
})

/** Runs it to the end, with a log. */
async function run(place: PlaceName = 'adder/dev', key?: string): Promise<string> {
  const [skill, stage] = place.split('/')
  const path = `/api/skills/${skill}/stages/${stage}/invoke`
  const options = key === undefined ? {} : { key }
  const { status, body } = await server.call<{ run_id: string }>('POST', path, { input: { a: 1 } }, options)
  expect(status).toBe(202)
  const claim = await take(server.engine, body.run_id)
  await server.engine.runs.appendLogs(body.run_id, claim.token, [line('secretly logged')])
  await finish(server.engine, claim)
  return body.run_id
}

const open = (path: string, key = server.key, headers?: Record<string, string>) =>
  readEvents(new URL(path, server.url), key, headers)

/** An EventSource of other people's making. */
function listen(path: string, key: string = server.key) {
  const source = new EventSource(new URL(path, cutLine.url), {
    fetch: (url, init) => fetch(url, { ...init, headers: { ...init.headers, authorization: `Bearer ${key}` } }),
  })
  const seen: Activity[] = []
  let hellos = 0
  const bell = new Bell()
  source.addEventListener('hello', () => {
    hellos++
    bell.ring()
  })
  for (const type of ['run.status', 'run.result']) {
    source.addEventListener(type, ({ data, lastEventId }: MessageEvent) => {
      const activity = JSON.parse(data as string) as Activity
      expect([activity.type, activity.id]).toEqual([type, lastEventId])
      seen.push(activity)
      bell.ring()
    })
  }
  const until = async (enough: () => boolean): Promise<void> => {
    for (bell.arm(); !enough(); bell.arm()) await bell.wait()
  }
  return { source, seen, hellos: () => hellos, until }
}

const runsOf = (events: readonly { data: string }[]): (string | null)[] =>
  events.slice(1).map(({ data }) => (JSON.parse(data) as Activity).run)

describe('following a tenant', () => {
  test('an EventSource whose line breaks again and again misses nothing and sees nothing twice', async () => {
    await run()
    const start = await server.engine.activity.present((await whoami()).tenant)
    const { source, seen, hellos, until } = listen('/api/events')
    await until(() => hellos() === 1)
    // Before the first event, so that only hello says where to go on.
    cutLine.cut()
    const ids = [await run(), await run('other/dev')]
    await until(() => seen.length === 6)
    cutLine.cut()
    ids.push(await run('adder/prod'), await run())
    await until(() => seen.length === 12)
    ids.push(await run())
    await until(() => seen.length === 15)
    source.close()
    expect(hellos()).toBe(3)
    const { tenant } = await whoami()
    const all = await server.engine.activity.activity(tenant, start, 1000)
    expect(seen).toEqual(all.map((one) => ({ ...one, id: CURSORS.seal(tenant, one.id) })))
    expect([...new Set(seen.map((one) => one.run))]).toEqual(ids)
    expect(JSON.stringify(seen)).not.toContain('secretly logged')
  })

  test('begins with what is new, after an id, or after the parameter; the header comes first', async () => {
    const [first, second] = [await run(), await run()]
    const fresh = await open('/api/events')
    expect(fresh.status).toBe(200)
    expect(Object.fromEntries(fresh.headers)).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-request-id': expect.stringMatching(/^req_/),
    })
    await fresh.until(() => fresh.events.length === 1)
    const { id: now } = fresh.events[0]!
    expect(fresh.events[0]).toEqual({ event: 'hello', id: now, data: JSON.stringify({ id: now }) })
    const third = await run()
    await fresh.until(() => fresh.events.length === 4)
    expect(runsOf(fresh.events)).toEqual([third, third, third])
    fresh.leave()

    const all = await open('/api/events?after=0000000000')
    await all.until(() => all.events.at(-1)?.id === fresh.events.at(-1)!.id)
    all.leave()
    const at = all.events.findIndex(({ data }) => data.includes(first))
    for (const headers of [{}, { 'last-event-id': all.events[at + 2]!.id! }]) {
      const after = 'last-event-id' in headers ? '0000000000' : all.events[at + 2]!.id!
      const rest = await open(`/api/events?after=${after}`, server.key, headers)
      await rest.until(() => rest.events.length === 7)
      rest.leave()
      expect(runsOf(rest.events)).toEqual([second, second, second, third, third, third])
    }
    const results = await open(`/api/events?after=${all.events[at - 1]!.id}&types=run.result,webhook.disabled`)
    await results.until(() => results.events.length === 4)
    results.leave()
    expect(runsOf(results.events)).toEqual([first, second, third])
  })

  test('how many are open is measured', async () => {
    // Those of the tests before are still leaving.
    while ((await openStreams()) !== '0');
    const one = await open('/api/events')
    await one.until(() => one.events.length === 1)
    expect(await openStreams()).toBe('1')
    one.leave()
  })

  test('what is no id and what is no type is refused', async () => {
    const codes = ['?after=x', '?after=', '?types=run.log', '?types=run.result,', '?after=%00000000000'].map(
      async (query) => (await server.call<{ code: string }>('GET', `/api/events${query}`)).body.code,
    )
    expect(new Set(await Promise.all(codes))).toEqual(new Set(['bad_request']))
    const headers = { 'last-event-id': '12' }
    expect((await server.call<{ code: string }>('GET', '/api/events', undefined, { headers })).body.code).toBe(
      'bad_request',
    )
    const elsewhere = await server.call<{ code: string }>('GET', '/api/skills/adder/stages/none/events')
    expect(elsewhere.body.code).toBe('not_found')
  })

  test('a stage has a stream of its own', async () => {
    const stream = await open('/api/skills/adder/stages/prod/events')
    await stream.until(() => stream.events.length === 1)
    await run('adder/dev')
    await run('other/dev')
    const mine = await run('adder/prod')
    await stream.until(() => stream.events.length === 4)
    stream.leave()
    expect(runsOf(stream.events)).toEqual([mine, mine, mine])
  })

  test('another tenant sees nothing of it', async () => {
    const stream = await open('/api/events?after=0000000000', await server.strangerKey())
    await stream.until(() => stream.events.length === 1)
    await run()
    // A heartbeat that was sent after that comes after it, too.
    const before = stream.comments.length
    await stream.until(() => stream.comments.length >= before + 2)
    // Hello, and where it begins: nothing has ever happened there.
    expect(stream.events).toEqual([{ event: 'hello', id: '0000000000', data: '{"id":"0000000000"}' }])
    stream.leave()
  })
})

async function openStreams(): Promise<string | undefined> {
  const { body } = await server.call<string>('GET', '/metrics', undefined, { key: server.operatorKey })
  return /^skillet_event_streams (\d+)$/m.exec(body)?.[1]
}

async function whoami(): Promise<{ tenant: string }> {
  return (await server.call<{ tenant: string }>('GET', '/api/whoami')).body
}
