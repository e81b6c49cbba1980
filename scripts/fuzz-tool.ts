import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const SCRIPTS = fileURLToPath(new URL('.', import.meta.url))
const PROGRAM = fileURLToPath(new URL('../.tools/schemathesis/bin/schemathesis', import.meta.url))

export interface Fuzzing {
  /** File of the document. */
  readonly document: string
  /** Takes what schemathesis leaves behind. */
  readonly folder: string
  readonly url: string
  readonly key: string
  /** Of schemathesis, separated by commas. */
  readonly phases: string
  readonly seconds: number
  readonly seed: number
  readonly signal: AbortSignal
}

/** Lets schemathesis loose for so long. Answers with whether it found nothing, and what it printed. */
export async function fuzz(options: Fuzzing): Promise<{ clean: boolean; output: string }> {
  const { document, folder, url, key, phases, seconds, seed, signal } = options
  const flags = {
    phases: phases,
    'max-time': seconds,
    seed: seed,
    url: url,
    'generation-database': 'none',
    'max-redirects': 0,
    // One request at a time: skills run for real, and threads bring out a fault of Python 3.11 (AST recursion depth).
    workers: 1,
    // An answer that does not end is a finding.
    'request-timeout': 60,
    warnings: 'off',
  }
  const settings = Object.entries(flags).map(([name, value]) => `--${name}=${value}`)
  const config = `${SCRIPTS}fuzz.toml`
  const args = ['--config-file', config, 'run', document, '--no-color', '--continue-on-failure', ...settings]
  const env = {
    ...process.env,
    PYTHONPATH: SCRIPTS,
    PYTHONDONTWRITEBYTECODE: '1',
    SCHEMATHESIS_HOOKS: 'fuzz_hooks',
    SKILLET_FUZZ_KEY: key,
  }
  const child = spawn(PROGRAM, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const stop = (): void => void child.kill('SIGTERM')
  signal.addEventListener('abort', stop)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => (output += text))
  }
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', resolve)
    })
    return { clean: code === 0, output }
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
