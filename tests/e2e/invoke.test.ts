import { DatabaseSync } from 'node:sqlite'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Page } from '../../src/model/page.ts'
import type { LogLine, Run } from '../../src/model/runs.ts'
import { type Files, type Problem, TestServer, python, typescript } from './harness.ts'

const NUMBERS = {
  type: 'object',
  properties: { a: { type: 'integer' }, b: { type: 'integer' } },
  required: ['a', 'b'],
  additionalProperties: false,
}

let server: TestServer

beforeAll(async () => {
  server = await TestServer.start()
  await server.deploy(
    'adder',
    python(
      'adder',
      'def handler(input: dict) -> dict:\n    print("adding")\n    return {"sum": input["a"] + input["b"]}\n',
      {
        input: NUMBERS,
        output: { type: 'object', properties: { sum: { type: 'integer' } }, required: ['sum'] },
      },
    ),
  )
  await server.deploy(
    'waiter',
    python(
      'waiter',
      'import sys, time\n\ndef handler(input: dict) -> dict:\n    print("begun", flush=True)\n    print("to stderr", file=sys.stderr, flush=True)\n    time.sleep(input.get("seconds", 60))\n    return {"slept": input.get("seconds")}\n',
    ),
  )
})
afterAll(() => server.stop())

const invoke = '/api/skills/adder/stages/dev/invoke'

describe('answering', () => {
  test('202 with a run id and where to look, then a finished run with its times', async () => {
    const answer = await server.call<{ run_id: string }>('POST', invoke, { input: { a: 1, b: 2 } })
    expect(answer.status).toBe(202)
    expect(answer.headers.get('location')).toBe(`/api/runs/${answer.body.run_id}`)
    const run = await server.finished(answer.body.run_id)
    expect(run).toMatchObject({ status: 'succeeded', output: { sum: 3 }, attempt: 1, reason: null, error: null })
    expect(run.queue_ms).toBeGreaterThanOrEqual(0)
    expect(run.start_ms).toBeGreaterThanOrEqual(0)
    expect(run.execution_ms).toBeGreaterThan(0)
    expect(run.usage?.wall_ms).toBeGreaterThan(0)
  })

  test('Prefer: wait answers 200 with the finished run', async () => {
    const answer = await server.call<Run>('POST', invoke, { input: { a: 20, b: 22 } }, { prefer: 'wait=30' })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('preference-applied')).toBe('wait=30')
    expect(answer.body).toMatchObject({ status: 'succeeded', output: { sum: 42 } })
  })

  test('Prefer: wait answers 202 when time is up, and the run goes on', async () => {
    const path = '/api/skills/waiter/stages/dev/invoke'
    const answer = await server.call<{ run_id: string }>('POST', path, { input: { seconds: 2 } }, { prefer: 'wait=1' })
    expect(answer.status).toBe(202)
    expect(await server.finished(answer.body.run_id)).toMatchObject({ status: 'succeeded', output: { slept: 2 } })
  })

  test('wrong input is 400 with pointers, and no run comes of it', async () => {
    const count = async (): Promise<number> =>
      (await server.ok<Page<Run>>('GET', '/api/runs?skill=adder&limit=200')).items.length
    const before = await count()
    const answer = await server.call<Problem>('POST', invoke, { input: { a: 'one', c: 3 } })
    expect(answer.status).toBe(400)
    expect(answer.headers.get('content-type')).toContain('application/problem+json')
    expect(answer.body.code).toBe('input_invalid')
    const pointers = answer.body.errors?.map(({ pointer }) => pointer)
    expect(pointers).toContain('/a')
    expect(JSON.stringify(answer.body.errors)).toContain('b')
    expect(await count()).toBe(before)
  })

  test('a stage without a deployment, a stage and a skill that are not there', async () => {
    await server.ok('PUT', '/api/skills/adder/stages/bare', { config: {} })
    const bare = await server.call<Problem>('POST', '/api/skills/adder/stages/bare/invoke', { input: {} })
    expect([bare.status, bare.body.code]).toEqual([409, 'stage_not_active'])
    const stage = await server.call<Problem>('POST', '/api/skills/adder/stages/nowhere/invoke', { input: {} })
    expect([stage.status, stage.body.code]).toEqual([404, 'not_found'])
    const skill = await server.call<Problem>('POST', '/api/skills/nothing/stages/dev/invoke', { input: {} })
    expect([skill.status, skill.body.code]).toEqual([404, 'not_found'])
  })
})

describe('Idempotency-Key', () => {
  test('a repeat is the same run; another request with the key is refused', async () => {
    const headers = { 'idempotency-key': '"order-17"' }
    const first = await server.ok<{ run_id: string }>('POST', invoke, { input: { a: 1, b: 1 } }, headers)
    const again = await server.ok<{ run_id: string }>('POST', invoke, { input: { a: 1, b: 1 } }, headers)
    expect(again.run_id).toBe(first.run_id)
    const other = await server.call<Problem>('POST', invoke, { input: { a: 1, b: 2 } }, headers)
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_mismatch'])
  })

  test('twenty callers at once make one run', async () => {
    const headers = { 'idempotency-key': 'race' }
    const calls = Array.from({ length: 20 }, () =>
      server.ok<{ run_id: string }>('POST', invoke, { input: { a: 1, b: 1 } }, headers),
    )
    const ids = new Set((await Promise.all(calls)).map(({ run_id }) => run_id))
    expect(ids.size).toBe(1)
  })
})

describe('events and logs', () => {
  test('a foreign SSE client sees status, log and result in order, and resumes without a gap', async () => {
    const id = await server.begin('waiter', { seconds: 1 })
    const all = await server.events(id)
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_, i) => i + 1))
    expect(all[0]).toMatchObject({ type: 'status', data: { status: 'queued' } })
    expect(all[1]).toMatchObject({ type: 'status', data: { status: 'running' } })
    expect(all.at(-1)).toMatchObject({ type: 'result', data: { status: 'succeeded' } })
    const text = all.filter(({ type }) => type === 'log').flatMap(({ data }) => (data as { lines: LogLine[] }).lines)
    expect(text.map(({ stream, text: line }) => `${stream}: ${line}`).toSorted()).toEqual([
      'stderr: to stderr',
      'stdout: begun',
    ])
    expect(await server.events(id, 2)).toEqual(all.slice(2))
    expect(await server.events(id, all.length - 1)).toEqual(all.slice(-1))
  })

  test('a reader that comes while it runs sees what was before and what comes after', async () => {
    const id = await server.begin('waiter', { seconds: 1 })
    const head = await server.events(id, undefined, ({ type }) => type === 'log')
    const tail = await server.events(id, head.at(-1)!.seq)
    expect([...head, ...tail].map(({ seq }) => seq)).toEqual([...head, ...tail].map((_, i) => i + 1))
    expect(tail.at(-1)?.type).toBe('result')
  })

  test('logs have streams and times, and too many are cut and marked', async () => {
    await server.deploy(
      'chatty',
      python(
        'chatty',
        'def handler(input: dict) -> dict:\n    for i in range(4000):\n        print("line", i, "x" * 400)\n    return {}\n',
      ),
    )
    const run = await server.run('chatty', {})
    expect(run.status).toBe('succeeded')
    let cursor = ''
    const lines: LogLine[] = []
    do {
      const page = await server.ok<{ items: LogLine[]; next: string | null }>(
        'GET',
        `/api/runs/${run.id}/logs?limit=200${cursor}`,
      )
      lines.push(...page.items)
      cursor = page.next === null ? '' : `&cursor=${encodeURIComponent(page.next)}`
    } while (cursor !== '')
    expect(lines[0]).toMatchObject({ stream: 'stdout', text: `line 0 ${'x'.repeat(400)}` })
    expect(Date.parse(lines[0]!.at)).toBeGreaterThan(Date.parse(run.created_at))
    expect(lines.filter(({ stream }) => stream === 'system')).toHaveLength(1)
    expect(lines.at(-1)?.stream).toBe('system')
    expect(lines.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThanOrEqual(2 ** 20 + 500)
  })
})

describe('cancelling and replaying', () => {
  test('a running run ends and its sandbox with it', async () => {
    const id = await server.begin('waiter', {})
    await server.events(id, undefined, ({ type }) => type === 'log')
    await server.ok('POST', `/api/runs/${id}/cancel`)
    expect(await server.finished(id)).toMatchObject({ status: 'cancelled', output: null })
    expect((await server.ok<Run>('POST', `/api/runs/${id}/cancel`)).status).toBe('cancelled')
  })

  test('a queued run is cancelled at once and never executed', async () => {
    const busy = await Promise.all(Array.from({ length: 8 }, () => server.begin('waiter', {})))
    await Promise.all(busy.map((id) => server.reached(id, 'running')))
    const id = await server.begin('waiter', {})
    expect(await server.ok<Run>('POST', `/api/runs/${id}/cancel`)).toMatchObject({
      status: 'cancelled',
      started_at: null,
    })
    await Promise.all(busy.map((other) => server.ok('POST', `/api/runs/${other}/cancel`)))
    await Promise.all(busy.map((other) => server.finished(other)))
    expect(await server.find(id)).toMatchObject({ status: 'cancelled', started_at: null, attempt: 0 })
  })

  test('a replay runs the same input on the same deployment, even when the stage moved on', async () => {
    await server.deploy(
      'greeter',
      python('greeter', 'def handler(input: dict) -> dict:\n    return {"v": 1, **input}\n'),
    )
    const first = await server.run('greeter', { who: 'you' })
    await server.deploy(
      'greeter',
      python('greeter', 'def handler(input: dict) -> dict:\n    return {"v": 2, **input}\n'),
    )
    expect((await server.run('greeter', { who: 'you' })).output).toEqual({ v: 2, who: 'you' })
    const again = await server.ok<{ run_id: string }>('POST', `/api/runs/${first.id}/replay`)
    expect(await server.finished(again.run_id)).toMatchObject({
      replay_of: first.id,
      deployment: first.deployment,
      status: 'succeeded',
      output: { v: 1, who: 'you' },
    })
  })

  test('a run that is not over cannot be replayed', async () => {
    const id = await server.begin('waiter', {})
    const answer = await server.call<Problem>('POST', `/api/runs/${id}/replay`)
    expect([answer.status, answer.body.code]).toEqual([409, 'not_replayable'])
    await server.ok('POST', `/api/runs/${id}/cancel`)
    await server.finished(id)
  })
})

describe('failing', () => {
  const failures: [string, Files, object, object, RegExp][] = [
    [
      'throws',
      python('throws', 'def handler(input: dict) -> dict:\n    raise ValueError("no such city")\n'),
      {},
      { reason: 'runtime_error' },
      /no such city/,
    ],
    [
      'bad-output',
      python('bad-output', 'def handler(input: dict) -> dict:\n    return {"sum": "three"}\n', {
        output: { type: 'object', properties: { sum: { type: 'integer' } } },
      }),
      {},
      { reason: 'output_invalid' },
      /\/sum/,
    ],
    [
      'not-json',
      python('not-json', 'def handler(input: dict) -> dict:\n    return {"x": object()}\n'),
      {},
      { reason: 'output_invalid' },
      /JSON/i,
    ],
    [
      'slow',
      python('slow', 'def handler(input: dict) -> dict:\n    while True: pass\n'),
      { timeout_s: 1 },
      { reason: 'timeout' },
      /longer than 1000 ms/,
    ],
    [
      'hungry',
      python(
        'hungry',
        'def handler(input: dict) -> dict:\n    x = []\n    while True: x.append(bytearray(10_000_000))\n',
      ),
      { size: 'S' },
      { reason: 'memory_limit' },
      /more memory/,
    ],
    [
      'refuses',
      typescript(
        'refuses',
        'export async function validate(params: { n?: number }): Promise<boolean> {\n  if (params.n === undefined) throw new Error("n is needed")\n  return true\n}\nexport async function execute(): Promise<object> {\n  return {}\n}\n',
      ),
      {},
      { reason: 'validation_error' },
      /n is needed/,
    ],
    [
      'rejects',
      typescript(
        'rejects',
        'export async function execute(): Promise<object> {\n  throw new TypeError("bad thing")\n}\n',
      ),
      {},
      { reason: 'runtime_error' },
      /bad thing/,
    ],
  ]
  test.each(failures)('%s', async (name, files, config, expected, message) => {
    await server.deploy(name, files, config)
    const run = await server.run(name, {})
    expect(run).toMatchObject({ status: 'failed', output: null, ...expected })
    expect(run.error?.message).toMatch(message)
    // The next run is served as if nothing had happened.
    expect(await server.run('adder', { a: 1, b: 1 })).toMatchObject({ status: 'succeeded' })
  })

  test('a run that cannot be queued is failed/runtime_error and 503, and never stuck', async () => {
    const file = (await readdir(server.dataDir)).find(
      (name) => /^[^.]*\.(db|sqlite)$/.test(name) && !name.includes('lock'),
    )
    const database = new DatabaseSync(join(server.dataDir, file!))
    database.exec(`CREATE TRIGGER full BEFORE INSERT ON queue BEGIN SELECT RAISE(ABORT, 'the queue is full'); END`)
    try {
      const answer = await server.call<Problem>('POST', invoke, { input: { a: 1, b: 1 } })
      expect([answer.status, answer.body.code]).toEqual([503, 'enqueue_failed'])
      const id = answer.body.run_id
      expect(await server.find(id!)).toMatchObject({ status: 'failed', reason: 'runtime_error' })
      expect((await server.events(id!)).at(-1)).toMatchObject({ type: 'result', data: { status: 'failed' } })
    } finally {
      database.exec('DROP TRIGGER full')
      database.close()
    }
    expect(await server.run('adder', { a: 1, b: 1 })).toMatchObject({ status: 'succeeded' })
  })
})
