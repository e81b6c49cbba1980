import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { install } from '../scripts/installed.mjs'

/** That of this clone, which runs its sources, until `installPackage`. */
let command = new URL('../bin/skillet.js', import.meta.url).pathname

/** From here on servers are started from the package as npm packs and installs it, which is what users have. */
export async function installPackage(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'skillet-bench-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  command = await install(folder)
}

export interface BenchServer {
  readonly url: string
  readonly key: string
  readonly operatorKey: string
  /** Milliseconds from spawn to the first 200 of /readyz. */
  readonly readyMs: number
  rssMb(): number
  /** Used until now. */
  cpuMs(): number
  stop(): Promise<void>
}

/** The real server as users start it, on a free port, in a data folder of its own. `again` starts it on the same folder. */
export async function startBenchServer(
  flags: readonly string[] = [],
  folder = mkdtempSync(join(tmpdir(), 'skillet-bench-')),
) {
  const began = performance.now()
  // Into a file, as services have it: to read its lines from a pipe would be work of whoever measures.
  const log = join(folder, 'server.log')
  const errors = openSync(log, 'w')
  // One key asks for all of it, faster than one key may.
  const child = spawn(
    process.execPath,
    [command, 'serve', '--port', '0', '--rate-limit', 'off', '--data', folder, ...flags],
    {
      stdio: ['ignore', 'ignore', errors],
    },
  )
  closeSync(errors)
  // A benchmark that fails leaves no server behind.
  const orphaned = (): void => void child.kill('SIGKILL')
  process.once('exit', orphaned)
  const url = await untilReady(child, join(folder, 'server.json'), () => readFileSync(log, 'utf8').slice(-4000))
  const readyMs = performance.now() - began
  const server: BenchServer = {
    url,
    key: readFileSync(join(folder, 'owner.key'), 'utf8').trim(),
    operatorKey: readFileSync(join(folder, 'operator.key'), 'utf8').trim(),
    readyMs,
    rssMb: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024,
    // utime and stime in hundredths of a second, after the name, which may hold anything.
    cpuMs: () => {
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
      return 10 * (Number(fields[11]) + Number(fields[12]))
    },
    async stop() {
      if (child.exitCode === null) {
        child.kill('SIGTERM')
        await once(child, 'exit')
      }
      process.off('exit', orphaned)
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return server
}

async function untilReady(child: ChildProcess, file: string, errors: () => string): Promise<string> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`The server ended with ${child.exitCode}:\n${errors()}`)
    if (existsSync(file)) {
      const { url } = JSON.parse(readFileSync(file, 'utf8')) as { url: string }
      const answer = await fetch(`${url}/readyz`).catch(() => null)
      if (answer?.status === 200) return url
    }
    await pause(2)
  }
}
