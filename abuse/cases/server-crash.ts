import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createBwrapDriver } from '../../src/runtime/bwrap/bwrap-driver.ts'
import { openPlaces } from '../../src/runtime/bwrap/places.ts'
import type { AbuseCase, AbuseWorld } from '../case.ts'
import { leftIn, processesIn } from '../host.ts'

/** The server is gone from one moment to the next. */
export const SERVER_CRASH: readonly AbuseCase[] = [
  { number: 59, title: 'the server killed: nothing of its sandboxes stays', load: 'heavy', world: killed },
]

const RUNTIME = fileURLToPath(new URL('../../src/runtime/', import.meta.url))

const STUBBORN = `
import os, signal, time
def handler(input):
    for number in signal.valid_signals():
        try: signal.signal(number, signal.SIG_IGN)
        except OSError: pass
    for _ in range(3):
        if os.fork() == 0:
            os.setsid()
            if os.fork() != 0: os._exit(0)
            while True: time.sleep(1)
    print("at work", flush=True)
    while True: time.sleep(1)
`
/** A server's own parts, with runs that ignore what they can, a build, a way out, and sandboxes that are just being made. */
const program = (data: string): string => `
const { openPlaces } = await import('${RUNTIME}bwrap/places.ts')
const { createBwrapDriver } = await import('${RUNTIME}bwrap/bwrap-driver.ts')
const { openEgress } = await import('${RUNTIME}egress/open-egress.ts')
const { mkdirSync, writeFileSync } = await import('node:fs')
const egress = openEgress({ own: () => null, onError() {} })
const places = await openPlaces(${JSON.stringify(data)})
const driver = await createBwrapDriver({ places, egress })
const bundle = places.bundles + '/stubborn'
mkdirSync(bundle, { recursive: true })
writeFileSync(bundle + '/main.py', ${JSON.stringify(STUBBORN)})
const run = { id: 'run_1', skill: 's', stage: 'd', version: '1.0.0', attempt: 1, deadline: '2100-01-01T00:00:00Z' }
const call = { run, input: {}, env: {}, secrets: {}, connections: {}, redactor: null, timeout_ms: 600_000 }
const handler = { kind: 'python', file: 'main.py', function: 'handler', takes_context: false }
const list = [{ name: 'api.example.com', wildcard: true, ports: [443] }]
let count = 0
const prepare = (network) =>
  driver.prepare({ id: 'session-crash-' + String(++count).padStart(40, '0'), runtime: 'python3', handler, bundle, memory_mb: 128, network })
const told = []
for (const network of [[], list]) {
  const session = await prepare(network)
  told.push(new Promise((resolve) => void session.invoke(call, (lines) => lines.some(({ text }) => text === 'at work') && resolve())))
}
void driver.tool({ argv: ['/bin/sh', '-c', 'sleep 1000 & sleep 1000'], binds: [], memory_mb: 64, disk_mb: 16, timeout_ms: 600_000 })
await Promise.all(told)
console.log(places.root)
for (;;) await Promise.all([prepare([]), prepare(list)]).then((made) => made.map((session) => session.kill()))
`

async function killed(world: AbuseWorld): Promise<void> {
  const data = join(await world.folder(), 'data')
  await mkdir(data)
  let root = ''
  // At any moment: also while sandboxes are being made.
  for (const ms of [0, 20, 45, 70, 150]) {
    const server = spawn(process.execPath, ['--input-type=module', '-e', program(data)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: '/',
    })
    world.after(() => server.kill('SIGKILL'))
    root = await firstLine(server)
    await pause(ms)
    const family = descendants(server.pid!)
    assert.ok(family.length >= 8, `only ${family.length} processes were started`)
    server.kill('SIGKILL')
    await once(server, 'exit')
    assert.deepEqual(await stillThere(family), [])
    assert.deepEqual(await processesIn([root]), [])
  }
  // What cannot go with its processes, the next server on the same folder removes.
  const places = await openPlaces(data)
  const driver = await createBwrapDriver({ places })
  const left = leftIn(places)
  await driver.close()
  await places.close()
  assert.deepEqual(left, [])
  assert.deepEqual([...leftIn(places), ...mountsOf(root)], [])
  await rm(root, { recursive: true, force: true })
}

async function firstLine(server: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: server.stdout! })) return line
  throw new Error('The server said nothing.')
}

interface Process {
  readonly pid: number
  readonly parent: number
  /** Tells one from another that was given the same number later. */
  readonly born: string
  readonly state: string
}

function processes(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
        return [{ pid: Number(pid), state: fields[0]!, parent: Number(fields[1]), born: fields[19]! }]
      } catch {
        return [] // It is gone meanwhile.
      }
    })
}

function descendants(of: number): Process[] {
  const all = processes()
  const family = new Set([of])
  // Parents have not always the lower numbers.
  for (let before = 0; before !== family.size;) {
    before = family.size
    for (const { pid, parent } of all) if (family.has(parent)) family.add(pid)
  }
  return all.filter(({ pid }) => pid !== of && family.has(pid))
}

/** After a while: dying takes them processor time, and others come first. One that is dead and only waits to be counted is none. */
async function stillThere(family: readonly Process[]): Promise<string[]> {
  let left: Process[] = []
  for (let tries = 0; tries < 1500; tries++) {
    const now = processes()
    left = now.filter((it) => it.state !== 'Z' && family.some(({ pid, born }) => pid === it.pid && born === it.born))
    if (left.length === 0) return []
    await pause(20)
  }
  return left.map(
    ({ pid }) => `${pid}: ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').slice(0, 120)}`,
  )
}

const mountsOf = (root: string): string[] =>
  readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.includes(root))
