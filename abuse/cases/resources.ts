import assert from 'node:assert/strict'
import { startingPython } from '../attacks.ts'
import type { AbuseCase, AttackRun, AbuseWorld } from '../case.ts'

const FORK_UNTIL_REFUSED = `
import os, time, errno
def handler(input):
    if input.get("look"): return len([p for p in os.listdir("/proc") if p.isdigit()])
    made = 0
    while made < 5000:
        try: pid = os.fork()
        except OSError as error: return {"made": made, "error": errno.errorcode[error.errno]}
        if pid == 0: time.sleep(60); os._exit(0)
        made += 1
    return {"made": made}
`
const SPAWN_UNTIL_REFUSED = `
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
export async function execute({ look }) {
  if (look) return readdirSync('/proc').filter((name) => /^\\d+$/.test(name)).length
  for (let made = 0; made < 5000; made++) {
    const child = spawn('/bin/sleep', ['60'], { stdio: 'ignore' })
    const error = await new Promise((resolve) => child.once('spawn', () => resolve(null)).once('error', resolve))
    if (error !== null) return { made, error: error.code }
  }
}`

/** Held back at the limit, and all gone before the next run. */
async function stoppedForking({ output, session }: AttackRun, world: AbuseWorld): Promise<void> {
  const { made, error } = output as { made: number; error?: string }
  assert.equal(error, 'EAGAIN')
  assert.ok(made < 130, `${made} processes were made`)
  const after = await world.again(session, { look: true })
  assert.ok((after.output as number) < 8, `${String(after.output)} processes in the next run`)
}

const THREADS = `
import threading
def handler(input):
    hold, made = threading.Event(), 0
    try:
        while made < 5000:
            threading.Thread(target=hold.wait, daemon=True).start()
            made += 1
    except RuntimeError as error: return {"made": made, "error": str(error)}
    return {"made": made}
`
const fewThreads = ({ output }: AttackRun): void => {
  const { made, error } = output as { made: number; error?: string }
  assert.match(error ?? '', /start new thread/)
  assert.ok(made < 130, `${made} threads were made`)
}

/** Taking more than one's share of processes and threads. */
export const RESOURCES: readonly AbuseCase[] = [
  {
    number: 1,
    title: 'fork bomb',
    load: 'heavy',
    python: [
      { code: FORK_UNTIL_REFUSED, outcome: 'succeeded', held: stoppedForking },
      {
        code: 'import os\ndef handler(input):\n  while True:\n    try: os.fork()\n    except OSError: pass',
        outcome: 'failed/timeout',
        timeout_ms: 1000,
      },
    ],
    node: [
      { code: SPAWN_UNTIL_REFUSED, outcome: 'succeeded', held: stoppedForking },
      {
        code: `
          import { spawn } from 'node:child_process'
          export async function execute() {
            spawn('/bin/bash', ['-c', ':(){ :|:& };:'], { stdio: 'ignore' })
            await new Promise(() => setInterval(() => {}, 1000))
          }`,
        outcome: 'failed/timeout',
        timeout_ms: 1000,
      },
    ],
  },
  {
    number: 9,
    title: 'thread bomb',
    python: { code: THREADS, outcome: 'succeeded', held: fewThreads },
    node: [
      { code: startingPython(THREADS), outcome: 'succeeded', held: fewThreads },
      {
        code: `
          import { Worker } from 'node:worker_threads'
          export async function execute() {
            for (;;) await new Promise((resolve, reject) => {
              new Worker('setInterval(() => {}, 1000)', { eval: true }).once('online', resolve).once('error', reject)
            })
          }`,
        outcome: /^failed\/(memory_limit|runtime_error|timeout)$/,
        timeout_ms: 3000,
      },
    ],
  },
]
