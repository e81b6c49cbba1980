// npm start: a server in the foreground with the samples deployed. Options: --port, --host, --data.
import { once } from 'node:events'
import { relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type Api, createApi } from '../src/cli/api.ts'
import { CliError } from '../src/cli/cli-error.ts'
import { isPortTaken, portOf } from '../src/cli/commands/serve.ts'
import { EXIT } from '../src/cli/exit-codes.ts'
import { interruptionSignal } from '../src/cli/interruption.ts'
import { painter, processIo } from '../src/cli/io.ts'
import { createProgress } from '../src/cli/progress.ts'
import { closeInheritedFds } from '../src/runtime/bwrap/inherited-fds.ts'
import { type RunningServer, type ServerOptions, startServer } from '../src/server.ts'
import { SAMPLES, STAGE, deploySample } from './samples.ts'

const DEFAULT_PORT = 8787
/** How many ports after the default one are tried when it is taken. */
const MORE_PORTS = 20

const io = processIo(interruptionSignal())
const paint = painter(io, 'err')
const progress = createProgress(io)
const say = (text: string): void => io.err(`${text}\n`)

try {
  await start()
} catch (error) {
  if (!io.signal.aborted) {
    const { message, fix } = error as Error & { fix?: unknown }
    say(`${paint('red', 'Error:')} ${message}`)
    if (typeof fix === 'string') say(`${paint('green', 'To mend it:')} ${fix}`)
    process.exitCode = 1
  }
}

async function start(): Promise<void> {
  const { values } = parseArgs({
    options: { port: { type: 'string' }, host: { type: 'string' }, data: { type: 'string' } },
  })
  const dataDir = resolve(values.data ?? '.skillet')
  closeInheritedFds()
  const server = await listen({ dataDir, ...(values.host && { host: values.host }), log: logFault }, values.port)
  try {
    const { url, key } = server
    if (key === null) throw noKey(dataDir)
    const api = createApi({ url, key }, io.signal)
    for (const sample of SAMPLES) {
      if (await isServed(api, sample.name)) continue
      say(`${sample.name}: ${sample.kind}`)
      await deploySample(api, sample, progress, paint, io.signal)
    }
    io.out(whatToTry({ url, key }, shortest(dataDir)))
    if (!io.signal.aborted) await once(io.signal, 'abort')
  } finally {
    await server.stop()
  }
  say('\nStopped.')
}

async function listen(options: ServerOptions, port: string | undefined): Promise<RunningServer> {
  if (port !== undefined) return startServer({ ...options, port: portOf(port) })
  for (let next = DEFAULT_PORT; ; next++) {
    try {
      return await startServer({ ...options, port: next })
    } catch (error) {
      if (!isPortTaken(error) || next === DEFAULT_PORT + MORE_PORTS) throw error
    }
  }
}

async function isServed(api: Api, skill: string): Promise<boolean> {
  try {
    return (await api.findStage(skill, STAGE)).deployment !== null
  } catch (error) {
    if (error instanceof CliError && error.exitCode === EXIT.notFound) return false
    throw error
  }
}

/** The key is whose the folder is: it may have been put away. */
const noKey = (dataDir: string): CliError =>
  new CliError(EXIT.refused, `There is no owner.key in ${dataDir}.`, {
    fix: 'Put it back, name another folder with --data, or start the server alone with "skillet serve".',
  })

/** As it would be typed here. */
function shortest(path: string): string {
  const from = relative(process.cwd(), path)
  return from.startsWith('..') ? path : from || '.'
}

/** The key stands in the commands by its file only: what is typed lands in histories and process lists. */
function whatToTry({ url, key }: { url: string; key: string }, data: string): string {
  const header = `-H @<(echo "Authorization: Bearer $(cat ${data}/owner.key)")`
  const invoke = `${url}/api/skills/csv-profile/stages/${STAGE}/invoke`
  return `
Skillet serves ${url}
Owner key      ${key}   (in ${data}/owner.key)

Try, in another terminal:

  bin/skillet.js invoke release-notes --input @examples/release-notes/sample-input.json

  bin/skillet.js skill list

  curl -s ${header} -H 'Content-Type: application/json' -H 'Prefer: wait=10' \\
    -d '{"input": {"csv": "a,b\\n1,x\\n2,y\\n"}}' ${invoke}

Ctrl-C stops it.
`
}

function logFault({ level, message, ...fields }: { level: string; message: string }): void {
  if (level === 'error') say(`${paint('red', message)} ${JSON.stringify(fields)}`)
}
