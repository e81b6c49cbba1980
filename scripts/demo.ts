// npm run demo: a server on an empty data folder, three skills from upload to result, and nothing left behind.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { type Api, createApi } from '../src/cli/api.ts'
import { interruptionSignal } from '../src/cli/interruption.ts'
import { painter, processIo } from '../src/cli/io.ts'
import { createProgress } from '../src/cli/progress.ts'
import { settledReadiness } from '../src/cli/settled-readiness.ts'
import { endText, logText } from '../src/cli/show-run.ts'
import { duration, table } from '../src/cli/table.ts'
import type { Run } from '../src/model/runs.ts'
import { closeInheritedFds } from '../src/runtime/bwrap/inherited-fds.ts'
import { startServer } from '../src/server.ts'
import { SAMPLES, STAGE, type Sample, deploySample, sampleInput } from './samples.ts'

/** Of a result, what fits on a screen. */
const RESULT_LINES = 24
const LINE = 110

const io = processIo(interruptionSignal())
const paint = painter(io, 'err')
const progress = createProgress(io)
const say = (text: string = ''): void => io.err(`${text}\n`)

try {
  await demo()
} catch (error) {
  const { message, fix, stack } = error as Error & { fix?: unknown }
  say(`\n${paint('red', 'The demo failed:')} ${message}`)
  if (typeof fix === 'string') say(`${paint('green', 'To mend it:')} ${fix}`)
  else if (process.env['DEBUG']) say(stack)
  process.exitCode = 1
}

async function demo(): Promise<void> {
  say(paint('bold', 'Skillet demo: three skills, from upload to result, each run in its own sandbox on this machine\n'))
  const dataDir = await mkdtemp(join(tmpdir(), 'skillet-demo-'))
  try {
    progress.begin('Starting a server with an empty data folder')
    closeInheritedFds()
    // No warm-up: the first run of each skill shall show what a cold start costs.
    const server = await startServer({ dataDir, port: 0, warmUp: false, log: logFault })
    progress.end()
    progress.note(server.url)
    try {
      const api = createApi({ url: server.url, key: server.key! }, io.signal)
      await ready(api)
      const rows = []
      for (const sample of SAMPLES) rows.push(...(await show(api, sample)))
      say(paint('bold', '\nWhere the time went'))
      io.out(table(['SKILL', 'RUN', 'SANDBOX', 'QUEUED', 'START', 'EXECUTION', 'SKILL CPU', 'PEAK MEMORY'], rows))
    } finally {
      progress.begin('Stopping the server')
      await server.stop()
      progress.end()
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
  say(`\nNothing is left of it. ${paint('bold', 'npm start')} leaves a server running.`)
}

async function ready(api: Api): Promise<void> {
  const { checks } = await settledReadiness(api, io.signal)
  const failed = checks.filter(({ ok }) => !ok)
  if (failed.length === 0) return
  const lines = failed.map(
    ({ name, message, fix }) => `\n  ${name}: ${message}${fix === null ? '' : `\n  To mend it: ${fix}`}`,
  )
  throw new Error(`this machine is not ready to run skills:${lines.join('')}`)
}

/** Deploys it and runs it twice. Answers with the rows of the table. */
async function show(api: Api, sample: Sample): Promise<(string | null)[][]> {
  say(`\n${paint('bold', sample.name)}: ${sample.kind}`)
  const { version } = await deploySample(api, sample, progress, paint, io.signal)
  progress.note(`version ${version}`)
  const rows = []
  for (const turn of ['first', 'second']) {
    const run = await followed(api, sample, turn)
    if (run.status !== 'succeeded') {
      throw new Error(`the ${turn} run of ${sample.name} ${run.status}: ${run.reason} ${run.error?.message ?? ''}`)
    }
    if (turn === 'second') printResult(run.output)
    const { usage } = run
    rows.push([
      sample.name,
      turn,
      run.warm === null ? null : run.warm ? 'warm' : 'new',
      duration(run.queue_ms),
      duration(run.start_ms),
      duration(run.execution_ms),
      usage?.cpu_ms == null ? null : duration(usage.cpu_ms),
      usage?.peak_memory_bytes == null ? null : `${Math.round(usage.peak_memory_bytes / 1e6)} MB`,
    ])
  }
  return rows
}

/** Invokes it and prints its log while it is being written. */
async function followed(api: Api, sample: Sample, turn: string): Promise<Run> {
  const { id } = await api.invoke(sample.name, STAGE, sampleInput(sample))
  say(paint('dim', `${turn} run, ${id}`))
  for await (const event of api.followRun(id)) {
    if (event.type === 'log')
      for (const line of event.data.lines) io.err(`    ${logText({ ...line, text: clip(line.text) }, paint)}`)
  }
  const run = await api.findRun(id)
  io.err(`    ${endText(run, paint)}`)
  return run
}

/** As YAML, which shows texts of several lines as they are. */
function printResult(output: unknown): void {
  const lines = stringify(output, { lineWidth: 0 }).trimEnd().split('\n')
  for (const line of lines.slice(0, RESULT_LINES)) io.out(`    ${clip(line)}\n`)
  if (lines.length > RESULT_LINES) say(paint('dim', `    and ${lines.length - RESULT_LINES} more lines`))
}

function clip(line: string): string {
  return line.length <= LINE ? line : `${line.slice(0, LINE - 2)} …`
}

function logFault({ level, message, ...fields }: { level: string; message: string }): void {
  if (level === 'error') say(`${paint('red', message)} ${JSON.stringify(fields)}`)
}
