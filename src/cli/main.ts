import { processIo } from './io.ts'
import { runCli } from './run-cli.ts'

const interruption = new AbortController()
// The second one ends the process at once, as without a handler.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort())
// A reader that has seen enough (skillet ... | head) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

process.exitCode = await runCli(process.argv.slice(2), processIo(interruption.signal))
