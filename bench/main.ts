import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { baseline } from './baseline.ts'
import { createClient } from './client.ts'
import { catalogueRows } from './catalogue-rows.ts'
import { crowdRows } from './crowd-rows.ts'
import { eventRows } from './event-rows.ts'
import { scheduleLateness, webhookRows } from './flow-rows.ts'
import { printTable } from './table.ts'
import {
  type Row,
  coldInvoke,
  freshInvoke,
  prepare,
  queueToStart,
  startUp,
  throughput,
  uploadToReady,
  warmInvoke,
} from './rows.ts'
import { type BenchServer, installPackage, startBenchServer } from './server.ts'

const USAGE = `Usage: npm run bench [-- --only NAME,NAME] [--quick] [--json]

Measures every row of DESIGN 10 on the package as npm packs and installs it, in about ten minutes.
  --only   the steps with one of these in their name, such as warm,schedules
  --quick  a tenth of the samples
  --json   for machines`

interface Step {
  readonly name: string
  readonly rows: () => Promise<Row[]>
}

const progress = (text: string): void => void process.stderr.write(`${text}\n`)

/** All in one run: what a machine can do changes within minutes. */
async function main(wanted: (name: string) => boolean, quick: boolean, json: boolean): Promise<void> {
  const few = (count: number): number => (quick ? Math.max(3, Math.round(count / 10)) : count)
  const rows: Row[] = []
  const measure = async (steps: readonly Step[]): Promise<void> => {
    for (const step of steps.filter(({ name }) => wanted(name))) {
      progress(step.name)
      rows.push(...(await step.rows()))
    }
  }
  const load = loadavg()[0]
  progress('baseline of this machine')
  const floor = await baseline()
  progress('packing and installing the package')
  await installPackage()
  await measure([
    { name: 'start-up', rows: () => startUp(few(10)) },
    { name: '5,000 event streams', rows: () => eventRows(few(30), few(20)) },
  ])
  await onOneServer((server, client) => serverSteps(server, client, few, quick ? 1 : 3), wanted, measure)
  await measure([
    { name: 'a catalogue of 10,000 skills', rows: () => catalogueRows(few(20)) },
    { name: '50 stages at once', rows: () => crowdRows(few(60)) },
  ])
  const report = {
    at: new Date().toISOString(),
    measured: 'the package as npm packs and installs it',
    machine: {
      cpus: cpus().length,
      model: cpus()[0]?.model,
      node: process.version,
      load_before: load,
      load_after: loadavg()[0],
    },
    baseline_ms: floor,
    rows,
  }
  if (json) console.log(JSON.stringify(report, null, 2))
  else printTable(report)
}

type Client = ReturnType<typeof createClient>

const one = (name: string, row: () => Promise<Row>): Step => ({ name, rows: async () => [await row()] })

function serverSteps(server: BenchServer, client: Client, few: (count: number) => number, minutes: number): Step[] {
  return [
    ...(['TS', 'Python'] as const).flatMap((language) => [
      one(`warm, ${language}`, () => warmInvoke(server, language, few(1000))),
      one(`spare, ${language}`, () => freshInvoke(server, language, few(60))),
      one(`cold, ${language}`, () => coldInvoke(server, client, language, few(20))),
    ]),
    one('queue to start', () => queueToStart(client, few(300))),
    one('runs per second, TS', () => throughput(server, 'TS', few(20))),
    one('runs per second, Python', () => throughput(server, 'Python', few(20))),
    one('upload', () => uploadToReady(client, few(20))),
    { name: 'webhooks', rows: () => webhookRows(server, client, few(20)) },
    one('10,000 schedules', () => scheduleLateness(client, minutes)),
  ]
}

async function onOneServer(
  stepsOf: (server: BenchServer, client: Client) => Step[],
  wanted: (name: string) => boolean,
  measure: (steps: readonly Step[]) => Promise<void>,
): Promise<void> {
  // Without warm-up on deploy, or no invoke would ever be cold.
  const server = await startBenchServer(['--no-warm-up', '--webhook-network', '127.0.0.0/8'])
  const client = createClient(server.url, server.key, 4)
  try {
    const steps = stepsOf(server, client)
    if (!steps.some(({ name }) => wanted(name))) return
    progress('preparing skills')
    await prepare(client)
    await measure(steps)
  } finally {
    client.close()
    await server.stop()
  }
}

function options() {
  try {
    return parseArgs({
      options: {
        only: { type: 'string' },
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`)
    return null
  }
}

const given = options()
if (given === null) process.exitCode = 2
else if (given.help) console.log(USAGE)
else {
  const only = given.only?.toLowerCase().split(',')
  const wanted = (name: string): boolean => only?.some((part) => name.toLowerCase().includes(part.trim())) ?? true
  await main(wanted, given.quick, given.json)
}
