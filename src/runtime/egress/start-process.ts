import { type ChildProcess, fork } from 'node:child_process'
import { createInterface } from 'node:readline'
import { workerUrl } from '../../threads/worker-url.ts'
import { EgressUnavailable } from './egress.ts'

/**
 * Forks the process that forwards. It gets nothing of the server's environment but how to reach the network.
 * @param onLine What it says on stderr, line by line.
 * @throws EgressUnavailable
 */
export function startProcess(onLine: (line: string) => void): ChildProcess {
  const child = fork(workerUrl(import.meta.url, './egress-process'), [], {
    cwd: '/',
    env: Object.fromEntries(PASSED.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []))),
    execArgv: FLAGS,
    serialization: 'json',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  // Too many files are open: it has no streams, and says so once more by an event that nobody else would hear.
  if (!child.stderr) {
    child.on('error', () => undefined)
    throw new EgressUnavailable('The process that forwards the traffic of skills cannot be started now.')
  }
  let lines = 0
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (lines++ < LINES) onLine(line.slice(0, 1000))
  })
  return child
}

/** For what the operator trusts (dial.ts). */
const PASSED = [
  'HTTPS_PROXY',
  'https_proxy',
  'ALL_PROXY',
  'all_proxy',
  'NO_PROXY',
  'no_proxy',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
]

/** Buffers of sockets are not part of this memory. */
const FLAGS = ['--max-old-space-size=192', '--max-semi-space-size=4', '--disallow-code-generation-from-strings']
/** Of one process: it has little to say, and what makes it say much may be a tenant. */
const LINES = 1000
