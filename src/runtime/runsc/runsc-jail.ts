import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import { requireStreams } from '../bwrap/failures.ts'
import { findBwrap } from '../bwrap/find-bwrap.ts'
import { GATE, GATE_FD, WITHOUT_CHANNEL } from '../bwrap/gate.ts'
import type { Jail } from '../bwrap/jail.ts'
import type { RuntimeFiles } from '../bwrap/runtime-files.ts'
import { findRunsc } from './find-runsc.ts'
import { guestConfig } from './guest.ts'
import { runscArguments } from './jail-argv.ts'

/**
 * A kernel of its own for each sandbox: gVisor's, in a jail of bubblewrap's.
 * @throws SandboxError when runsc or bubblewrap is not installed.
 */
export async function createRunscJail(files: RuntimeFiles): Promise<Jail> {
  const [bwrap, runsc] = await Promise.all([findBwrap(), findRunsc()])
  return {
    own: { processes: (pids) => OWN_PROCESSES + pids * HOST_PROCESSES, memory_bytes: OWN_MEMORY },
    levels: null,
    network: 'held',
    start(spec, user) {
      const { options, command } = runscArguments(runsc, files, spec, FD)
      const gate = spec.network === null ? GATE : WITHOUT_CHANNEL + GATE
      const child: ChildProcess = spawn(
        '/bin/sh',
        ['-c', gate, bwrap, '--args', String(FD.options), '--', ...command],
        {
          // Pipes only: runsc hands what it gets as its standard streams over to another user.
          stdio: [...PIPES, ...(spec.network === null ? [] : (['ipc'] as const))],
          env: {},
          cwd: '/',
          ...user,
        },
      )
      requireStreams(child)
      const feed = (fd: number, text: string): void => void (child.stdio[fd] as Writable | undefined)?.end(text)
      feed(FD.options, options.map((option) => `${option}\0`).join(''))
      feed(FD.config, JSON.stringify(guestConfig(spec)))
      const [socket, line] = [child.stdio[3] as Socket, child.stdio[4] as Socket]
      return {
        child,
        stdin: spec.kind === 'host' ? child.stdin! : socket,
        stdout: child.stdout!,
        stderr: child.stderr!,
        extra: spec.kind === 'host' ? [socket, socket] : [socket, line],
        gate: child.stdio[GATE_FD] as Writable,
        started: () => (spec.kind === 'host' ? socket : line).bytesRead > 0,
        kill: () => void child.kill('SIGKILL'),
      }
    },
  }
}

const FD = { options: 6, config: 7, channel: 8 }
const PIPES = Array.from({ length: 8 }, () => 'pipe' as const)

/** Threads of runsc, of the guest's kernel and of what serves its files. */
const OWN_PROCESSES = 64
/** For each process of the guest, so many of the host's: 31 were the most that were seen, with 128 busy ones. The guest's kernel counts its own. */
const HOST_PROCESSES = 40
/** What the guest's kernel and what serves its files take, in bytes: 20 MB were measured, and what they keep of files comes on top. */
const OWN_MEMORY = 96 * 2 ** 20
