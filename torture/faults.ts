import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { Leftovers } from '../tests/support/leftovers.ts'
import type { Random } from './random.ts'
import type { TorturedServer } from './server.ts'

export interface Scene {
  readonly server: TorturedServer
  readonly leftovers: Leftovers
  readonly random: Random
}

const HOUR_MS = 3_600_000

/** What is done to a server under load. Each leaves one that answers, or is about to. */
export const FAULTS: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  'kill -9 of the server': async ({ server }) => {
    await server.kill('SIGKILL')
    await server.start()
  },

  'kill -9 of the server, twice in a row': async ({ server, random }) => {
    await server.kill('SIGKILL')
    // The second one dies while it takes up what the first left.
    const starting = server.start().catch(() => undefined)
    await pause(random.below(700))
    await server.kill('SIGKILL')
    await starting
    await server.start()
  },

  'SIGTERM and a new server': async ({ server }) => {
    await server.kill('SIGTERM')
    await server.start()
  },

  'kill -9 of a sandbox supervisor': ({ leftovers, random }) => killOne(leftovers, random, (name) => name === 'bwrap'),
  'kill -9 of a host in a sandbox': ({ leftovers, random }) => killOne(leftovers, random, (name) => name !== 'bwrap'),

  'SIGSTOP beyond the lease, then SIGCONT': async ({ server, random }) => {
    server.signal('SIGSTOP')
    await pause(2200 + random.below(1500))
    server.signal('SIGCONT')
  },

  'SIGSTOP, then kill -9': async ({ server, random }) => {
    server.signal('SIGSTOP')
    await pause(random.below(500))
    await server.kill('SIGKILL')
    await server.start()
  },

  'a full disk': async ({ server, random }) => {
    // Files may grow no further: writes end with EFBIG, as they do with ENOSPC on a full disk.
    limitFiles(server.pid, '4096')
    await pause(300 + random.below(1200))
    if (server.alive) limitFiles(server.pid, 'unlimited')
    else await server.start()
  },

  'a full disk, and kill -9 in it': async ({ server, random }) => {
    limitFiles(server.pid, '4096')
    await pause(random.below(600))
    await server.kill('SIGKILL')
    await server.start()
  },

  'the clock an hour ahead': ({ server }) => jump(server, HOUR_MS),
  'the clock an hour back': ({ server }) => jump(server, -HOUR_MS),
  'the clock as it is': ({ server }) => jump(server, 0),
  nothing: () => pause(500),
}

async function jump(server: TorturedServer, offset: number): Promise<void> {
  server.setClock(offset)
  await pause(300)
}

async function killOne(leftovers: Leftovers, random: Random, wanted: (name: string) => boolean): Promise<void> {
  const found = leftovers.processes().filter((pid) => wanted(nameOf(pid)))
  if (found.length === 0) return
  try {
    process.kill(random.pick(found), 'SIGKILL')
  } catch {
    // It has ended by itself since.
  }
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return ''
  }
}

/** Only the soft limit, which can be lifted again. */
function limitFiles(pid: number, bytes: string): void {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`])
}
