import assert from 'node:assert/strict'
import { LIMITS } from '../../src/model/sizes.ts'
import { startingPython } from '../attacks.ts'
import type { AbuseCase, AttackRun, AbuseWorld } from '../case.ts'

/** The run is over for good: nothing of it is left to serve another. */
const over = ({ session }: AttackRun): void => assert.equal(session.usable, false, 'the session would serve again')

const IGNORE_IN_PYTHON = `
import os, signal
def handler(input):
    for number in signal.valid_signals():
        try: signal.signal(number, signal.SIG_IGN)
        except OSError: pass
    for _ in range(4):
        if os.fork() == 0: os.setsid(); break
    while True: pass
`
const IGNORE_IN_NODE = `
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
export function execute() {
  for (const name of Object.keys(constants.signals)) try { process.on(name, () => {}) } catch {}
  const script = "trap '' $(seq 1 64) 2>/dev/null; while :; do :; done"
  for (let i = 0; i < 4; i++) spawn('/bin/bash', ['-c', script], { detached: true, stdio: 'ignore' })
  for (;;);
}`

const DAEMON = `
import os, time
def handler(input):
    if input.get("look"):
        mark = open("/tmp/alive").read() if os.path.exists("/tmp/alive") else None
        return {"mark": mark, "processes": len([p for p in os.listdir("/proc") if p.isdigit()])}
    ready = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() != 0: os._exit(0)
        for fd in range(3): os.close(fd)
        os.chdir("/tmp")
        with open("/tmp/alive", "w") as file: file.write("yes")
        os.write(ready[1], b"x")
        while True: time.sleep(0.01)
    os.read(ready[0], 1)
    return "started"
`

/** Neither the process nor its file meets the next run. */
async function gone({ output, session }: AttackRun, world: AbuseWorld): Promise<void> {
  assert.equal(output, 'started')
  const next = await world.again(session, { look: true })
  const found = next.output as { mark: unknown; processes: number }
  assert.equal(found.mark, null)
  assert.ok(found.processes < 8, `${found.processes} processes`)
}

/** Cut at the limit of a run's log, with a line that says so as the last. */
function cut(ran: AttackRun): void {
  short(ran)
  assert.equal(ran.logs.at(-1)?.stream, 'system')
  assert.match(ran.logs.at(-1)!.text, /The log was cut here/)
}

function short({ logs, session }: AttackRun): void {
  const bytes = logs.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)
  assert.ok(bytes <= LIMITS.logBytes + 1000, `${bytes} bytes of log`)
  assert.equal(session.usable, false, 'the session would serve again')
}

const KILLS = `
import os, signal
def handler(input):
    os.kill(input["pid"] if input["pid"] != "parent" else os.getppid(), signal.Signals[input["signal"]])
    return "still here"
`
const NODE_KILLS = `
export async function execute({ pid, signal }) {
  process.kill(pid === 'parent' ? process.ppid : pid, signal)
  await new Promise((resolve) => setTimeout(resolve, 50))
  return 'still here'
}`
/** What is no child of its own cannot be stopped; and what it can stop is its own sandbox, which ends the run. */
const kills = (code: string): AbuseCase['python'] => [
  { code, input: { pid: 1, signal: 'SIGKILL' }, outcome: 'succeeded' },
  { code, input: { pid: 1, signal: 'SIGSTOP' }, outcome: 'succeeded' },
  { code, input: { pid: -1, signal: 'SIGKILL' }, outcome: /^(succeeded|failed\/runtime_error)$/ },
  {
    code,
    input: { pid: -1, signal: 'SIGSTOP' },
    outcome: /^(succeeded|failed\/(timeout|runtime_error))$/,
    timeout_ms: 1000,
  },
  { code, input: { pid: 'parent', signal: 'SIGKILL' }, outcome: /^(succeeded|failed\/runtime_error)$/ },
]

const PROCESSES = `
import os
def handler(input):
    seen = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/cmdline") as file: seen[name] = file.read().replace("\\0", " ")[:60]
            except OSError as error: seen[name] = error.strerror
    try: os.kill(input["host"], 0); host = "ok"
    except OSError as error: host = error.strerror
    return {"seen": seen, "host": host, "self": os.getpid()}
`
function alone({ output }: AttackRun): void {
  const { seen, host, self } = output as { seen: Record<string, string>; host: string; self: number }
  assert.ok(Object.keys(seen).length < 8, `it saw ${JSON.stringify(seen)}`)
  assert.ok(self < 100, `its own number is ${self}`)
  assert.equal(host, 'No such process')
  assert.ok(!JSON.stringify(seen).includes('abuse'), `it saw ${JSON.stringify(seen)}`)
}

/** Not coming to an end, or not alone. */
export const ENDINGS: readonly AbuseCase[] = [
  {
    number: 10,
    title: 'computing past the deadline',
    load: 'heavy',
    python: {
      code: 'def handler(input):\n  while True: pass',
      outcome: 'failed/timeout',
      timeout_ms: 500,
      held: over,
    },
    node: { code: 'export function execute() { for (;;); }', outcome: 'failed/timeout', timeout_ms: 500, held: over },
  },
  {
    number: 11,
    title: 'ignoring every signal',
    load: 'heavy',
    python: { code: IGNORE_IN_PYTHON, outcome: 'failed/timeout', timeout_ms: 500, held: over },
    node: { code: IGNORE_IN_NODE, outcome: 'failed/timeout', timeout_ms: 500, held: over },
  },
  {
    number: 12,
    title: 'a daemon that would survive its run',
    python: { code: DAEMON, outcome: 'succeeded', held: gone },
    node: { code: startingPython(DAEMON), outcome: 'succeeded', held: gone },
  },
  {
    number: 13,
    title: 'flood of output',
    python: [
      {
        code: 'def handler(input):\n  while True: print("x" * 100_000)',
        outcome: 'failed/timeout',
        timeout_ms: 8000,
        held: cut,
      },
      {
        code: 'import sys\ndef handler(input):\n  for _ in range(3000): print("é" * 500, file=sys.stderr)\n  return "said"',
        outcome: 'succeeded',
        held: cut,
      },
    ],
    node: [
      {
        // Whoever never waits keeps it all to itself, until that is too much.
        code: "export function execute() { for (;;) console.log('x'.repeat(1000)) }",
        outcome: /^failed\/(timeout|memory_limit)$/,
        timeout_ms: 1000,
        held: short,
      },
      {
        code: "export async function execute() { for (;;) if (!process.stdout.write(`${'x'.repeat(100_000)}\\n`)) await new Promise((go) => process.stdout.once('drain', go)) }",
        outcome: 'failed/timeout',
        timeout_ms: 8000,
        held: cut,
      },
      {
        code: "export function execute() { for (let i = 0; i < 3000; i++) console.error('é'.repeat(500)); return 'said' }",
        outcome: 'succeeded',
        held: cut,
      },
    ],
  },
  {
    number: 17,
    title: 'signals to everybody, to the first process and to the parent',
    python: kills(KILLS)!,
    node: kills(NODE_KILLS)!,
  },
  {
    number: 18,
    title: 'processes of the host',
    python: { code: PROCESSES, input: { host: process.pid }, outcome: 'succeeded', held: alone },
    node: { code: startingPython(PROCESSES), input: { host: process.pid }, outcome: 'succeeded', held: alone },
  },
]
