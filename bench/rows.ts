import { setTimeout as pause } from 'node:timers/promises'
import { INPUT, WAIT, invokePath, openCaller } from './caller.ts'
import type { Client } from './client.ts'
import { type BenchServer, startBenchServer } from './server.ts'
import { PYTHON, TYPESCRIPT, deploy, upload, withPadding } from './skills.ts'
import { type Sample, round, summarise } from './stats.ts'

export interface Row {
  readonly name: string
  readonly unit: 'ms' | 'runs/s' | 'MB' | 'KB' | '%' | 'times'
  readonly figure: Sample | number
  /** DESIGN 10, for the median unless it names the p99. */
  readonly budget: {
    readonly median?: number
    readonly p99?: number
    readonly atLeast?: number
    readonly atMost?: number
  }
}

interface RunAnswer {
  readonly id: string
  readonly status: string
  readonly queue_ms: number
}

export const LANGUAGES = { TS: 'bench-typescript', Python: 'bench-python' } as const
type Language = keyof typeof LANGUAGES

/** Makes both skills with a warm stage `dev` and a stage `fresh` that uses a sandbox once. */
export async function prepare(client: Client): Promise<void> {
  for (const [skill, files] of [
    ['bench-typescript', TYPESCRIPT],
    ['bench-python', PYTHON],
  ] as const) {
    await client.json('POST', '/api/skills', { name: skill, description: 'Adds two numbers for the benchmark.' })
    for (const [stage, isolation] of [
      ['dev', 'session'],
      ['fresh', 'fresh'],
    ] as const) {
      await client.json('PUT', `/api/skills/${skill}/stages/${stage}`, { config: {} })
      await upload(client, skill, stage, files)
      await deploy(client, skill, stage, { isolation, size: 'S' })
    }
  }
}

export async function warmInvoke(server: BenchServer, language: Language, count: number): Promise<Row> {
  const { invoke, close } = await openCaller(server, LANGUAGES[language], 'dev')
  for (let i = 0; i < 50; i++) await invoke()
  const times: number[] = []
  for (let i = 0; i < count; i++) times.push(await invoke())
  close()
  return {
    name: `warm invoke, ${language}`,
    unit: 'ms',
    figure: summarise(times),
    budget: { median: language === 'TS' ? 3 : 6, p99: 25 },
  }
}

/** Paced, so that the spare of a never-used sandbox is ready again each time; and the server confirms that each was one. */
export async function freshInvoke(server: BenchServer, language: Language, count: number): Promise<Row> {
  const { invoke, close } = await openCaller(server, LANGUAGES[language], 'fresh')
  const times: number[] = []
  let before = 0
  for (let i = -3; i < count; i++) {
    if (i === 0) before = await sparesUsed(server)
    const took = await invoke()
    if (i >= 0) times.push(took)
    await pause(250)
  }
  close()
  const used = (await sparesUsed(server)) - before
  if (used !== count) throw new Error(`Only ${used} of ${count} runs had a spare.`)
  return {
    name: `never-used sandbox, spare ready, ${language}`,
    unit: 'ms',
    figure: summarise(times),
    budget: { median: 15 },
  }
}

async function sparesUsed({ url, operatorKey }: BenchServer): Promise<number> {
  const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${operatorKey}` } })
  return Number(/^skillet_run_start_seconds_count\{start="spare"\} (\d+)$/m.exec(await answer.text())?.[1] ?? 0)
}

/** A deploy retires all sessions of the stage; without warm-up the next invoke finds nothing prepared. */
export async function coldInvoke(server: BenchServer, client: Client, language: Language, count: number): Promise<Row> {
  const skill = LANGUAGES[language]
  const { invoke, close } = await openCaller(server, skill, 'dev')
  const times: number[] = []
  for (let i = -2; i < count; i++) {
    await upload(client, skill, 'dev', language === 'TS' ? TYPESCRIPT : PYTHON)
    await deploy(client, skill, 'dev', { isolation: 'session', size: 'S' })
    await pause(100)
    const took = await invoke()
    if (i >= 0) times.push(took)
  }
  close()
  return {
    name: `cold invoke, ${language}`,
    unit: 'ms',
    figure: summarise(times),
    budget: { median: language === 'TS' ? 100 : 60 },
  }
}

export async function queueToStart(client: Client, count: number): Promise<Row> {
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const answer = await client.send('POST', invokePath(LANGUAGES.TS, 'dev'), INPUT, WAIT)
    times.push((JSON.parse(answer.body) as RunAnswer).queue_ms)
    await pause(10)
  }
  return { name: 'queue to start, idle server', unit: 'ms', figure: summarise(times), budget: { median: 5, p99: 25 } }
}

export async function throughput(server: BenchServer, language: Language, seconds: number): Promise<Row> {
  let done = 0
  let counting = false
  let over = false
  const caller = async (): Promise<void> => {
    const { invoke, close } = await openCaller(server, LANGUAGES[language], 'dev')
    while (!over) {
      await invoke()
      if (counting) done++
    }
    close()
  }
  const callers = Array.from({ length: 64 }, caller)
  await pause(3000)
  counting = true
  const began = performance.now()
  await pause(seconds * 1000)
  counting = false
  const rate = done / ((performance.now() - began) / 1000)
  over = true
  await Promise.all(callers)
  return {
    name: `durable runs per second, 64 callers, ${language}`,
    unit: 'runs/s',
    figure: round(rate),
    budget: { atLeast: language === 'TS' ? 1000 : 300 },
  }
}

export async function uploadToReady(client: Client, count: number): Promise<Row> {
  const times: number[] = []
  for (let i = -1; i < count; i++) {
    const took = await upload(client, LANGUAGES.Python, 'dev', withPadding(PYTHON, 2 ** 20))
    if (i >= 0) times.push(took)
  }
  return { name: 'upload of 1 MB to ready_to_deploy', unit: 'ms', figure: summarise(times), budget: { median: 300 } }
}

export async function startUp(count: number): Promise<Row[]> {
  const times: number[] = []
  let rss = 0
  for (let i = 0; i < count; i++) {
    const server = await startBenchServer()
    times.push(server.readyMs)
    await pause(1000)
    rss = server.rssMb()
    await server.stop()
  }
  return [
    { name: 'server start to ready', unit: 'ms', figure: summarise(times), budget: { median: 500 } },
    { name: 'idle memory', unit: 'MB', figure: round(rss), budget: { atMost: 150 } },
  ]
}
