import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { Duplex, Readable, Writable } from 'node:stream'
import { bwrapArguments } from './argv.ts'
import { requireStreams } from './failures.ts'
import { findBwrap } from './find-bwrap.ts'
import { ENTRY_FDS, HELD_COMMAND, WITHOUT_CHANNEL, entryGate } from './gate.ts'
import type { Jail } from './jail.ts'
import type { Limits } from './limits.ts'
import type { RuntimeFiles } from './runtime-files.ts'

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
      const command = spec.kind === 'command' ? [...HELD_COMMAND, ...spec.command] : spec.command
      const layout = { ...spec, command, files, seccompFd: FD.seccomp, channelFd: FD.channel }
      const made = bwrapArguments(layout)
      const opened: number[] = []
      let child: ChildProcess
      try {
        const entrances = openEntrances?.() ?? []
        opened.push(...entrances)
        const filter = openSync(files.seccomp[strength === 'hard' ? 'hard' : 'soft'], 'r')
        opened.push(filter)
        const fds = ['--json-status-fd', String(FD.status), '--args', String(FD.options)]
        const gate = (spec.network === null ? '' : WITHOUT_CHANNEL) + entryGate(entrances.length)
        const entry = ENTRY_FDS.entrances.map((_, i) => entrances[i] ?? 'ignore')
        child = spawn('/bin/sh', ['-c', gate, bwrap, ...fds, '--', ...made.command], {
          stdio: [
            ...STANDARD,
            ...entry,
            ...PIPES,
            filter,
            'pipe',
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
      return {
        child,
        stdin: child.stdin!,
        stdout: child.stdout!,
        stderr: child.stderr!,
        extra: [streams[ENTRY_FDS.extra[0]] as Duplex, streams[ENTRY_FDS.extra[1]] as Duplex],
        gate: streams[ENTRY_FDS.gate] as Writable,
        enters: openEntrances !== undefined,
        started: exitCodeSeen(streams[FD.status] as Readable | undefined),
        kill: () => void child.kill('SIGKILL'),
      }
    },
  }
}

/** Outer and inner bubblewrap and the gate, which count against the limit too. */
const OWN_PROCESSES = 3
const FD = { seccomp: 10, status: 11, options: 12, channel: 13 }
const STANDARD = ['pipe', 'pipe', 'pipe'] as const
/** What the sandbox gets as 3 and 4, and the gate. */
const PIPES = ['pipe', 'pipe', 'pipe'] as const

/** bubblewrap tells of the command's end only if it could start it. */
export function exitCodeSeen(statusPipe: Readable | undefined): () => boolean {
  let status = ''
  statusPipe?.on('data', (chunk: Buffer) => {
    if (status.length < 4096) status += chunk.toString('latin1')
  })
  return () => status.includes('"exit-code"')
}
