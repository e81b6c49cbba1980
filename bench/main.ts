import { cpus, loadavg } from 'node:os'
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
import { installPackage, startBenchServer } from './server.ts'

const progress = (text: string): void => void process.stderr.write(`${text}\n`)

/** Measures every row of DESIGN 10 that exists, in one run, of the package as npm installs it. `--json` for machines, `--quick` for a tenth of the samples. */
async function main(): Promise<void> {
  const quick = process.argv.includes('--quick')
  const few = (count: number): number => (quick ? Math.max(3, Math.round(count / 10)) : count)
  const load = loadavg()[0]
  progress('baseline of this machine')
  const floor = await baseline()
  progress('packing and installing the package')
  await installPackage()
  progress('start-up')
  const rows: Row[] = await startUp(few(10))
  progress('5,000 event streams')
  rows.push(...(await eventRows(few(30), few(20))))
  // Without warm-up on deploy, or no invoke would ever be cold.
  const server = await startBenchServer(['--no-warm-up', '--webhook-network', '127.0.0.0/8'])
  const client = createClient(server.url, server.key, 4)
  try {
    progress('preparing skills')
    await prepare(client)
    const steps: [string, () => Promise<Row>][] = [
      ...(['TS', 'Python'] as const).flatMap((language): [string, () => Promise<Row>][] => [
        [`warm, ${language}`, () => warmInvoke(server, language, few(1000))],
        [`spare, ${language}`, () => freshInvoke(server, language, few(60))],
        [`cold, ${language}`, () => coldInvoke(server, client, language, few(20))],
      ]),
      ['queue to start', () => queueToStart(client, few(300))],
      ['runs per second, TS', () => throughput(server, 'TS', few(20))],
      ['runs per second, Python', () => throughput(server, 'Python', few(20))],
      ['upload', () => uploadToReady(client, few(20))],
    ]
    for (const [name, step] of steps) {
      progress(name)
      rows.push(await step())
    }
    progress('webhooks')
    rows.push(...(await webhookRows(server, client, few(20))))
    progress('10,000 schedules')
    rows.push(await scheduleLateness(client, quick ? 1 : 3))
  } finally {
    client.close()
    await server.stop()
  }
  progress('a catalogue of 10,000 skills')
  rows.push(...(await catalogueRows(few(20))))
  progress('50 stages at once')
  rows.push(...(await crowdRows(few(60))))
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
  if (process.argv.includes('--json')) console.log(JSON.stringify(report, null, 2))
  else printTable(report)
}

await main()
