import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { type Client, createClient } from './client.ts'
import { LANGUAGES, type Row, throughput } from './rows.ts'
import type { BenchServer } from './server.ts'
import { round, summarise } from './stats.ts'

const SINK = new URL('sink.ts', import.meta.url)
const MINUTE_MS = 60_000

/**
 * 10,000 schedules, each every hour at a minute of its own: with each minute 167 come at once. Lateness is from the instant to the run's
 * record on the disk. Stages whose schedule does not fire meanwhile serve nothing.
 */
export async function scheduleLateness(client: Client, minutes: number): Promise<Row> {
  const count = 10_000
  const lanes = 8
  const soon = new Set(Array.from({ length: minutes + 2 }, (_, i) => (new Date().getUTCMinutes() + i) % 60))
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      for (let i = lane; i < count; i += lanes) {
        const stage = `/api/skills/${LANGUAGES.TS}/stages/at-${i}`
        if (soon.has(i % 60))
          await client.json('POST', `/api/skills/${LANGUAGES.TS}/stages/dev/promote`, { to: `at-${i}` })
        else await client.json('PUT', stage, { config: {} })
        await client.json('PUT', `${stage}/schedule`, { cron: `${i % 60} * * * *`, zone: 'UTC', input: { a: 2, b: 3 } })
      }
    }),
  )
  // From the next minute on, all of them are there.
  const from = Math.ceil(Date.now() / MINUTE_MS) * MINUTE_MS
  await pause(from + minutes * MINUTE_MS - 30_000 - Date.now())
  const late: number[] = []
  let cursor: string | null = null
  do {
    const page: { items: { created_at: string; scheduled_for: string | null }[]; next: string | null } =
      await client.json('GET', `/api/runs?limit=200${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`)
    const fired = page.items.flatMap(({ created_at, scheduled_for }) => {
      const instant = scheduled_for === null ? 0 : Date.parse(scheduled_for)
      return instant >= from ? [Date.parse(created_at) - instant] : []
    })
    late.push(...fired)
    cursor = fired.length === 0 ? null : page.next
  } while (cursor !== null)
  for (let i = 0; i < count; i++) await client.send('DELETE', `/api/skills/${LANGUAGES.TS}/stages/at-${i}/schedule`)
  return { name: '10,000 schedules: lateness', unit: 'ms', figure: summarise(late), budget: { p99: 100 } }
}

/** As without webhooks, with one for each run that ends, to a receiver on this machine. */
export async function webhookRows(server: BenchServer, client: Client, seconds: number): Promise<Row[]> {
  const sink = fork(SINK, { execArgv: [] })
  try {
    const [{ url }] = (await once(sink, 'message')) as [{ url: string }]
    const value = `whsec_${randomBytes(32).toString('base64')}`
    await client.json('POST', '/api/secrets', { name: 'bench-hook', value })
    const stage = `/api/skills/${LANGUAGES.TS}/stages/dev`
    await client.json('PUT', `${stage}/webhook`, { url, secret: 'bench-hook' })
    const rate = await throughput(server, 'TS', seconds)
    await drained(client)
    const deliveries = await deliveryRate(server, client, sink, 3000)
    await client.send('DELETE', `${stage}/webhook`)
    return [
      { ...rate, name: 'the same with webhooks on, TS', budget: {} },
      { name: 'webhook deliveries per second', unit: 'runs/s', figure: deliveries, budget: {} },
    ]
  } finally {
    sink.disconnect()
  }
}

/** Of runs that a cap throttles all at once, so that nothing but deliveries is waited for. */
async function deliveryRate(server: BenchServer, client: Client, sink: ChildProcess, count: number): Promise<number> {
  const stage = `/api/skills/${LANGUAGES.TS}/stages/dev`
  await client.json('POST', `${stage}/pause`)
  const many = createClient(server.url, server.key, 32)
  await Promise.all(
    Array.from({ length: 32 }, async (_, lane) => {
      for (let i = lane; i < count; i += 32) await many.json('POST', `${stage}/invoke`, { input: { a: 2, b: 3 } })
    }),
  )
  many.close()
  await client.json('PUT', '/api/quota', { caps: { runs_per_day: 0 } })
  await ask(sink, 'reset')
  await client.json('POST', `${stage}/resume`)
  await drained(client)
  await client.json('PUT', '/api/quota', { caps: {} })
  const told = await ask<{ count: number; ms: number }>(sink, 'count')
  if (told.count < count) throw new Error(`${told.count} of ${count} webhooks came.`)
  return round(told.count / (told.ms / 1000))
}

/** Nothing is queued and nothing is to be delivered. */
async function drained(client: Client): Promise<void> {
  for (;;) {
    const [runs, deliveries] = await Promise.all([
      client.json<{ items: unknown[] }>('GET', '/api/runs?status=queued&limit=1'),
      client.json<{ items: unknown[] }>('GET', '/api/deliveries?status=pending&limit=1'),
    ])
    if (runs.items.length + deliveries.items.length === 0) return
    await pause(20)
  }
}

async function ask<T>(sink: ChildProcess, what: string): Promise<T> {
  const answer = once(sink, 'message')
  sink.send(what)
  const [told] = (await answer) as [T]
  return told
}
