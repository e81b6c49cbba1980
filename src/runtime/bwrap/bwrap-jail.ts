import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import { bwrapArguments } from './argv.ts'
import { requireStreams } from './failures.ts'
import { findBwrap } from './find-bwrap.ts'
import { ENTRY_FDS, WITHOUT_CHANNEL, entryGate, heldCommand } from './gate.ts'
import type { Jail } from './jail.ts'
import type { Limits } from './limits.ts'
import type { RuntimeFiles } from './runtime-files.ts'
import { tied } from './tied.ts'

/**
 * Namespaces of the machine's own kernel, made by bubblewrap.
 * @param strength Of the limits, which decides what the system call filter has to refuse.
 * @throws SandboxError when bubblewrap is not installed.
 */
export async function createBwrapJail(files: RuntimeFiles, strength: Limits['strength']): Promise<Jail> {
  const bwrap = await findBwrap()
  return {
    own: { processes: () => OWN_PROCESSES, memory_bytes: 0 },
    // Outer and inner bubblewrap, the command.
    levels: 3,
    network: 'held',
    start(spec, user, openEntrances) {
      const layout = { ...spec, command: heldCommand(spec), files, seccompFd: FD.seccomp, channelFd: FD.channel }
      const made = bwrapArguments(layout)
      const opened: number[] = []
      let child: ChildProcess
      try {
        const entrances = openEntrances?.() ?? []
        opened.push(...entrances)
        const filter = openSync(files.seccomp[strength === 'hard' ? 'hard' : 'soft'], 'r')
        opened.push(filter)
        const gate = (spec.network === null ? '' : WITHOUT_CHANNEL) + entryGate(entrances.length)
        const entry = ENTRY_FDS.entrances.map((_, i) => entrances[i] ?? 'ignore')
        child = spawn('/bin/sh', ['-c', gate, bwrap, '--args', String(FD.options), '--', ...made.command], {
          stdio: [
            ...STANDARD,
            ...entry,
            ...PIPES,
            filter,
            'pipe',
            ...(spec.network === null ? [] : (['ipc'] as const)),
          ],
          // The launcher's environment and working directory can be read inside, under /proc/1.
          env: {},
          cwd: '/',
          ...user,
        })
      } finally {
        for (const fd of opened) closeSync(fd)
      }
      requireStreams(child)
      // Node's types know five of them.
      const streams = child.stdio as readonly unknown[]
      const options = streams[FD.options] as Writable | undefined
      options?.end(made.options.map((option) => `${option}\0`).join(''))
      const extra = ENTRY_FDS.extra.map((fd) => streams[fd] as Socket) as [Socket, Socket]
      return {
        child,
        stdin: child.stdin!,
        stdout: child.stdout!,
        stderr: child.stderr!,
        extra,
        gate: streams[ENTRY_FDS.gate] as Writable,
        enters: openEntrances !== undefined,
        started: () => extra[1].bytesRead > 0,
        tied: () => tied(child.pid!),
        kill: () => void child.kill('SIGKILL'),
      }
    },
  }
}

/** Outer and inner bubblewrap and the gate, which count against the limit too. */
const OWN_PROCESSES = 3
const FD = { seccomp: 10, options: 11, channel: 12 }
const STANDARD = ['pipe', 'pipe', 'pipe'] as const
/** What the sandbox gets as 3 and 4, and the gate. */
const PIPES = ['pipe', 'pipe', 'pipe'] as const
