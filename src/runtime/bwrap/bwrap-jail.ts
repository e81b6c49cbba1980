import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { Duplex, Readable, Writable } from 'node:stream'
import { bwrapArguments } from './argv.ts'
import { requireStreams } from './failures.ts'
import { findBwrap } from './find-bwrap.ts'
import { GATE, GATE_FD, HELD_COMMAND, WITHOUT_CHANNEL } from './gate.ts'
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
    start(spec, user) {
      const command = spec.kind === 'command' ? [...HELD_COMMAND, ...spec.command] : spec.command
      const layout = { ...spec, command, files, seccompFd: FD.seccomp, channelFd: FD.channel }
      const made = bwrapArguments(layout)
      const filter = openSync(files.seccomp[strength === 'hard' ? 'hard' : 'soft'], 'r')
      let child: ChildProcess
      try {
        const fds = ['--json-status-fd', String(FD.status), '--args', String(FD.options)]
        const gate = spec.network === null ? GATE : WITHOUT_CHANNEL + GATE
        child = spawn('/bin/sh', ['-c', gate, bwrap, ...fds, '--', ...made.command], {
          stdio: [...PIPES, filter, 'pipe', 'pipe', ...(spec.network === null ? [] : (['ipc'] as const))],
          // The launcher's environment and working directory can be read inside, under /proc/1.
          env: {},
          cwd: '/',
          ...user,
        })
      } finally {
        closeSync(filter)
      }
      requireStreams(child)
      const options = child.stdio[FD.options] as Writable | undefined
      options?.end(made.options.map((option) => `${option}\0`).join(''))
      return {
        child,
        stdin: child.stdin!,
        stdout: child.stdout!,
        stderr: child.stderr!,
        extra: [child.stdio[3] as Duplex, child.stdio[4] as Duplex],
        gate: child.stdio[GATE_FD] as Writable,
        started: exitCodeSeen(child.stdio[FD.status] as Readable | undefined),
        kill: () => void child.kill('SIGKILL'),
      }
    },
  }
}

/** Outer and inner bubblewrap and the gate, which count against the limit too. */
const OWN_PROCESSES = 3
const FD = { seccomp: 6, status: 7, options: 8, channel: 9 }
const PIPES = ['pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'] as const

/** bubblewrap tells of the command's end only if it could start it. */
export function exitCodeSeen(statusPipe: Readable | undefined): () => boolean {
  let status = ''
  statusPipe?.on('data', (chunk: Buffer) => {
    if (status.length < 4096) status += chunk.toString('latin1')
  })
  return () => status.includes('"exit-code"')
}
