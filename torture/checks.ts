import { setTimeout as pause } from 'node:timers/promises'
import type { Activity } from '../src/model/activity.ts'
import type { QuotaState, UsageRow } from '../src/model/quotas.ts'
import { type Run, isTerminal } from '../src/model/runs.ts'
import type { Fire } from '../src/model/schedules.ts'
import type { Delivery } from '../src/model/webhooks.ts'
import { type Api, all } from './api.ts'
import type { Sink } from './sink.ts'
import { TICKING } from './world.ts'

/** What the outside knows of what went on. */
export interface Witnesses {
  readonly acknowledged: ReadonlySet<string>
  readonly seen: readonly Activity[]
  readonly sink: Sink
}

/** How long everything may take to come to rest, in milliseconds: leases run out, retries come. Longer is stuck. */
const REST_MS = 120_000

/** Asks the server, from the outside, whether all that it promised is so. @returns What is not, in words */
export async function check(api: Api, { acknowledged, seen, sink }: Witnesses): Promise<string[]> {
  const wrong: string[] = []
  const stuck = await untilAtRest(api, () => seen.length)
  if (stuck !== null) return [stuck]
  const runs = await all<Run>(api, '/api/runs')
  const byId = new Map(runs.map((run) => [run.id, run]))
  for (const id of acknowledged) if (!byId.has(id)) wrong.push(`${id} was acknowledged and is gone`)
  wrong.push(...(await checkEvents(api, runs, seen)))
  wrong.push(...(await checkWebhooks(api, runs, sink)))
  wrong.push(...(await checkSums(api, runs)))
  wrong.push(...(await checkFires(api, runs)))
  return [...wrong, ...sink.complaints]
}

/** Null when nothing is under way any more. */
async function untilAtRest(api: Api, seen: () => number): Promise<string | null> {
  const until = performance.now() + REST_MS
  let before = -1
  for (;;) {
    const live = await Promise.all(
      ['queued', 'running'].map((status) => api.ask<{ items: Run[] }>('GET', `/api/runs?status=${status}&limit=5`)),
    )
    const pending = await api.ask<{ items: Delivery[] }>('GET', '/api/deliveries?status=pending&limit=5')
    const rest = [...live.flatMap(({ items }) => items), ...pending.items]
    if (rest.length === 0 && seen() === before) return null
    before = seen()
    if (performance.now() > until)
      return `Stuck: ${rest.map(({ id, status }) => `${id} is ${status}`).join(', ') || 'events still come'}`
    await pause(200)
  }
}

/** Every run's events are gapless with one result, and the stream of the tenant has them all, in order, once. */
async function checkEvents(api: Api, runs: readonly Run[], seen: readonly Activity[]): Promise<string[]> {
  const wrong: string[] = []
  const told = Map.groupBy(
    seen.filter(({ run }) => run !== null),
    ({ run }) => run!,
  )
  for (const run of runs) {
    if (!isTerminal(run.status)) wrong.push(`${run.id} is ${run.status}`)
    const events = await eventsOf(api, run.id)
    if (events.some(({ seq }, i) => seq !== i + 1))
      wrong.push(`${run.id}: events ${events.map(({ seq }) => seq).join(' ')}`)
    const results = events.filter(({ type }) => type === 'result').length
    if (results !== 1) wrong.push(`${run.id} has ${results} results`)
    const expected = events.filter(({ type }) => type !== 'log').map(({ seq }) => seq)
    const came = (told.get(run.id) ?? []).map(({ seq }) => seq)
    if (came.join(' ') !== expected.join(' '))
      wrong.push(`${run.id}: the stream told ${came.join(' ')}, there is ${expected.join(' ')}`)
  }
  return wrong
}

async function eventsOf(api: Api, run: string): Promise<{ seq: number; type: string }[]> {
  const text = await api.ask<string>('GET', `/api/runs/${run}/events`)
  return text
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => JSON.parse(line.slice(6)) as { seq: number; type: string })
}

/** One delivery for each run, each delivered, each received. */
async function checkWebhooks(api: Api, runs: readonly Run[], sink: Sink): Promise<string[]> {
  const wrong: string[] = []
  const deliveries = await all<Delivery>(api, '/api/deliveries')
  const byRun = Map.groupBy(deliveries, ({ run }) => run ?? '')
  for (const run of runs) {
    const own = byRun.get(run.id) ?? []
    if (own.length !== 1) wrong.push(`${run.id} has ${own.length} deliveries`)
    for (const { id, status, event } of own) {
      if (status !== 'delivered') wrong.push(`${id} of ${run.id} is ${status}`)
      if (event !== `run.${run.status}`) wrong.push(`${id} tells of ${event}; ${run.id} is ${run.status}`)
      if (sink.received.get(id)?.run !== run.id) wrong.push(`${id} of ${run.id} was never received`)
    }
  }
  for (const id of sink.received.keys())
    if (!deliveries.some((delivery) => delivery.id === id)) wrong.push(`${id} was received and is not known`)
  return wrong
}

/** What was counted and billed is the sum over the runs. */
async function checkSums(api: Api, runs: readonly Run[]): Promise<string[]> {
  const wrong: string[] = []
  const { items, states } = await usageOf(api)
  const begun = runs.filter(({ attempt }) => attempt > 0)
  const sum = (of: (row: UsageRow) => number): number => items.reduce((total, row) => total + of(row), 0)
  const is = (what: string, found: number, expected: number): void => {
    if (found !== expected) wrong.push(`${what}: ${found}, the runs say ${expected}`)
  }
  is(
    'runs in the usage',
    sum((row) => row.runs),
    begun.length,
  )
  is(
    'billed',
    sum((row) => row.billable_ms),
    runs.reduce((total, { billable_ms }) => total + (billable_ms ?? 0), 0),
  )
  for (const status of ['succeeded', 'failed', 'cancelled'] as const)
    is(
      `${status} in the usage`,
      sum((row) => row[status]),
      begun.filter((run) => run.status === status).length,
    )
  const month = states.flatMap(({ caps }) => caps).find(({ cap }) => cap === 'runs_per_month')
  is('runs in the quota', month?.used ?? -1, begun.length)
  return wrong
}

async function usageOf(api: Api): Promise<{ items: UsageRow[]; states: QuotaState[] }> {
  const { items } = await api.ask<{ items: UsageRow[] }>('GET', '/api/usage?group_by=skill')
  const { states } = await api.ask<{ states: QuotaState[] }>('GET', '/api/quota')
  return { items, states }
}

/** Never two runs for one instant, and none that its fires do not know. */
async function checkFires(api: Api, runs: readonly Run[]): Promise<string[]> {
  const scheduled = runs.filter(({ scheduled_for }) => scheduled_for !== null)
  const fires = await all<Fire>(api, `${TICKING}/fires`)
  const wrong: string[] = []
  for (const [instant, same] of Map.groupBy(scheduled, ({ scheduled_for }) => scheduled_for!))
    if (same.length > 1) wrong.push(`${same.length} runs for ${instant}`)
  const known = new Set(fires.map(({ run }) => run))
  for (const { id } of scheduled) if (!known.has(id)) wrong.push(`${id} is of no fire`)
  return wrong
}
