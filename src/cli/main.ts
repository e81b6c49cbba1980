import { interruptionSignal } from './interruption.ts'
import { processIo } from './io.ts'
import { runCli } from './run-cli.ts'

// A reader that has seen enough (skillet ... | head) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

process.exitCode = await runCli(process.argv.slice(2), processIo(interruptionSignal()))
