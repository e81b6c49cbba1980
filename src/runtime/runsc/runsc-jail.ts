import { type ChildProcess, spawn } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { Duplex, Readable, Writable } from 'node:stream'
import { exitCodeSeen } from '../bwrap/bwrap-jail.ts'
import { findBwrap } from '../bwrap/find-bwrap.ts'
import { GATE, GATE_FD } from '../bwrap/gate.ts'
import type { Jail } from '../bwrap/jail.ts'
import type { RuntimeFiles } from '../bwrap/runtime-files.ts'
import { SandboxError } from '../driver.ts'
import { guestConfig } from './guest.ts'
import { runscArguments } from './jail-argv.ts'

/**
 * A kernel of its own for each sandbox: gVisor's, in a jail of bubblewrap's.
 * @throws SandboxError when runsc or bubblewrap is not installed.
 */
export async function createRunscJail(files: RuntimeFiles): Promise<Jail> {
  const [bwrap, runsc] = await Promise.all([findBwrap(), findRunsc()])
  return {
    own: { processes: OWN_PROCESSES, memory_bytes: OWN_MEMORY },
    network: 'refused',
    start(spec, user) {
      const { options, command } = runscArguments(runsc, files, spec, { config: FD.config })
      const fds = ['--json-status-fd', String(FD.status), '--args', String(FD.options)]
      const child: ChildProcess = spawn('/bin/sh', ['-c', GATE, bwrap, ...fds, '--', ...command], {
        // Pipes only: runsc hands what it gets as its standard streams over to another user.
        stdio: PIPES,
        env: {},
        cwd: '/',
        ...user,
      })
      const feed = (fd: number, text: string): void => void (child.stdio[fd] as Writable | undefined)?.end(text)
      feed(FD.options, options.map((option) => `${option}\0`).join(''))
      feed(FD.config, JSON.stringify(guestConfig(spec)))
      const socket = child.stdio[3] as Duplex
      const exited = exitCodeSeen(child.stdio[FD.status] as Readable | undefined)
      return {
        child,
        stdin: spec.kind === 'host' ? child.stdin! : socket,
        stdout: child.stdout!,
        stderr: child.stderr!,
        extra: spec.kind === 'host' ? [socket, socket] : [socket, child.stdio[4] as Duplex],
        gate: child.stdio[GATE_FD] as Writable,
        started: exited,
        kill: () => void child.kill('SIGKILL'),
      }
    },
  }
}

const FD = { status: 6, options: 7, config: 8 }
const PIPES = Array.from({ length: 9 }, () => 'pipe' as const)

/** Threads of runsc, of the guest's kernel and of what serves its files; and for each process of the guest one or two of the host's. */
const OWN_PROCESSES = 512
/** What the guest's kernel and what serves its files take, in bytes: 20 MB were measured, and what they keep of files comes on top. */
const OWN_MEMORY = 96 * 2 ** 20

/** @throws SandboxError when it is not installed. */
export async function findRunsc(): Promise<string> {
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/local/bin']) {
    const path = join(folder, 'runsc')
    if (!path.startsWith('/')) continue
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (found) return path
  }
  throw new SandboxError('gVisor (runsc) was not found.', INSTALL_RUNSC)
}

export const INSTALL_RUNSC =
  'Install it (Debian, Ubuntu: apt-get install runsc; others: see gvisor.dev), or start the server with --driver bwrap.'
