import { setTimeout as pause } from 'node:timers/promises'
import { type Client, createClient } from './client.ts'
import type { Row } from './rows.ts'
import { startBenchServer } from './server.ts'
import { type Files, deploy, upload } from './skills.ts'
import { round, summarise } from './stats.ts'

const STAGES = 50
/** Runs of one stage in a second: all of them together are a fraction of what the server can do. */
const RATE = 2
const SKILL = 'bench-crowd'
/** Seconds for which they spin at the most: their calls are answered within the minute that a call may wait. */
const SPIN = 45
/** Milliseconds in which 49 calls that come at once have all begun: what is measured is one beside those that spin, not behind a burst. */
const SETTLED_MS = 2000

/** Adds, or burns the processor for as long as it is told. */
const CROWD: Files = {
  'skill.yaml': `name: ${SKILL}\ndescription: Adds two numbers or keeps the processor busy.\n`,
  'main.py': [
    'import time',
    '',
    '',
    'def handler(input: dict) -> dict:',
    '    """Adds two numbers or keeps the processor busy."""',
    '    end = time.monotonic() + input.get("spin", 0)',
    '    while time.monotonic() < end:',
    '        pass',
    '    return {"sum": input.get("a", 0) + input.get("b", 0)}',
    '',
  ].join('\n'),
}

/**
 * Fifty stages at once: each at a steady pace, and one at its pace beside 49 that do nothing but burn the processor. What is compared
 * is the p99 of a stage with the p99 that stages had alone, minutes before, on the same server.
 */
export async function crowdRows(seconds: number): Promise<Row[]> {
  const server = await startBenchServer(['--concurrency', '64', '--max-sessions-per-tenant', '64'])
  const client = createClient(server.url, server.key, 128)
  const stages = Array.from({ length: STAGES }, (_, i) => `s${i}`)
  try {
    await client.json('POST', '/api/skills', { name: SKILL, description: 'Fifty stages of it.' })
    for (const stage of stages) {
      await client.json('PUT', `/api/skills/${SKILL}/stages/${stage}`, { config: {} })
      await upload(client, SKILL, stage, CROWD)
      await deploy(client, SKILL, stage, { size: 'S' })
      for (let i = 0; i < 3; i++) await call(client, stage)
    }
    const alone: number[] = []
    for (const stage of stages.slice(0, 4)) alone.push(...(await paced(client, stage, seconds / 4, 4 * RATE)))
    const all = await Promise.all(stages.map((stage) => paced(client, stage, seconds, RATE)))

    const spin = Math.min(seconds, SPIN)
    const spinning = stages.slice(1).map((stage) => call(client, stage, { spin }))
    await pause(SETTLED_MS)
    const beside = await paced(client, stages[0]!, spin - SETTLED_MS / 1000 - 1, 4 * RATE)
    await Promise.all(spinning)

    const own = summarise(alone)
    const worst = all.map(summarise).toSorted((a, b) => b.p99 - a.p99)[0]!
    const loaded = summarise(beside)
    return [
      { name: 'one of 50 stages, alone', unit: 'ms', figure: own, budget: {} },
      { name: '50 stages at once: the slowest', unit: 'ms', figure: worst, budget: {} },
      { name: '... its p99, to that alone', unit: 'times', figure: round(worst.p99 / own.p99), budget: { atMost: 3 } },
      { name: 'one stage beside 49 that spin', unit: 'ms', figure: loaded, budget: {} },
      { name: '... its p99, to that alone', unit: 'times', figure: round(loaded.p99 / own.p99), budget: { atMost: 3 } },
    ]
  } finally {
    client.close()
    await server.stop()
  }
}

/**
 * At its pace, whether the one before has been answered or not, each call at any time in the first half of its interval: stages that happen
 * to call together once do not go on to do so for ever, and no stage calls twice at once.
 */
async function paced(client: Client, stage: string, seconds: number, rate: number): Promise<number[]> {
  const interval = 1000 / rate
  const began = performance.now() + Math.random() * interval
  const answers: Promise<number>[] = []
  for (let i = 0; i < seconds * rate; i++) {
    await pause(Math.max(0, began + (i + Math.random() / 2) * interval - performance.now()))
    answers.push(call(client, stage))
  }
  return Promise.all(answers)
}

async function call(client: Client, stage: string, input: object = {}): Promise<number> {
  const began = performance.now()
  const body = JSON.stringify({ input: { a: 2, b: 3, ...input } })
  const answer = await client.send('POST', `/api/skills/${SKILL}/stages/${stage}/invoke`, body, { prefer: 'wait=60' })
  const took = performance.now() - began
  const run = JSON.parse(answer.body) as { status?: string; output?: { sum?: number } }
  if (run.status !== 'succeeded' || run.output?.sum !== 5) throw new Error(`A run went wrong: ${answer.body}`)
  return took
}
