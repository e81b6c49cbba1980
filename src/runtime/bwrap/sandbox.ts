import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import type { Duplex, Readable, Writable } from 'node:stream'
import { SandboxError } from '../driver.ts'
import type { Egress, EgressRules } from '../egress/egress.ts'
import { type SandboxLayout, bwrapArguments } from './argv.ts'
import { sandboxFailure } from './failures.ts'
import { findBwrap } from './find-bwrap.ts'
import type { LimitGroup, Limits } from './limits.ts'
import type { Places } from './places.ts'
import { type SandboxNetwork, openNetwork } from './sandbox-network.ts'
import { SANDBOX_GID, createUidPool } from './uids.ts'

/** One running sandbox: its pipes, its limits and its end. */
export interface Sandbox {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** File descriptors 3 and 4 inside. */
  readonly extra: readonly [Duplex, Duplex]
  readonly limits: LimitGroup
  /** Null when it was given no network list. */
  readonly network: SandboxNetwork | null
  /** When the launcher is gone and its pipes are read to their ends. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** False when it ended before the command was started; only meaningful with `reportStart`. */
  started(): boolean
  /** Kills everything in it and waits until nothing is left. May be called twice. */
  stop(): Promise<void>
}

export interface LaunchSpec extends Omit<SandboxLayout, 'files' | 'seccompFd' | 'channelFd'> {
  /** What may be reached, and whose word that is. */
  readonly network: { readonly entries: EgressRules['allow']; readonly trust: EgressRules['trust'] } | null
  readonly memory_bytes: number
  /** CPUs' worth of time at the most. */
  readonly cpus: number
  /** Called when the memory watchdog strikes, before the sandbox is killed for it. */
  readonly onExceeded?: () => void
}

/** Starts sandboxes in one server's places, and can end them all. */
export interface Launcher {
  readonly limits: Limits
  readonly files: Places['files']
  /** @throws SandboxError when the process cannot be started at all; what bubblewrap says comes on stderr. */
  launch(spec: LaunchSpec): Promise<Sandbox>
  close(): Promise<void>
}

export async function createLauncher(places: Places, limits: Limits, egress?: Egress): Promise<Launcher> {
  const bwrap = await findBwrap()
  const uids = places.gid === null ? null : createUidPool()
  const living = new Set<Sandbox>()
  let closed = false

  async function launch(spec: LaunchSpec): Promise<Sandbox> {
    if (spec.network !== null && egress === undefined) throw new SandboxError(NO_EGRESS, GIVE_EGRESS)
    const uid = uids?.take() ?? null
    let child: ChildProcess | null = null
    let group: LimitGroup | null = null
    try {
      group = await limits.create({
        memory_bytes: spec.memory_bytes,
        pids: spec.pids + OWN_PROCESSES,
        cpus: spec.cpus,
        onExceeded() {
          spec.onExceeded?.()
          child?.kill('SIGKILL')
        },
      })
      if (closed) throw new SandboxError('The server is stopping.', 'Start it again.')
      child = start(bwrap, uid, places, { ...spec, files: places.files, seccompFd: FD.seccomp, channelFd: FD.channel })
      const network =
        spec.network && openNetwork(child, egress!, { allow: spec.network.entries, trust: spec.network.trust })
      const sandbox = handle(child, group, network, async () => {
        if (uid !== null) uids!.release(uid)
        living.delete(sandbox)
      })
      living.add(sandbox)
      await openGate(child, group)
      return sandbox
    } catch (error) {
      const removed = group?.remove()
      child?.kill('SIGKILL')
      await removed
      if (uid !== null) uids!.release(uid)
      throw error
    }
  }

  return {
    limits,
    files: places.files,
    launch,
    async close() {
      closed = true
      await Promise.all([...living].map((sandbox) => sandbox.stop()))
    },
  }
}

/** Outer and inner bubblewrap and the gate, which count against the limit too. */
const OWN_PROCESSES = 3
const FD = { gate: 5, seccomp: 6, status: 7, options: 8, channel: 9 }
const NO_EGRESS = 'This server was started without a way out for sandboxes; a network list cannot be held.'
const GIVE_EGRESS = 'Give the driver an egress, or take the list away.'

/**
 * The shell waits until it was put under the limits, so that nothing ever runs without them, and becomes bubblewrap then. When the
 * server dies first the gate's pipe ends. The kernel, short of memory, takes sandboxes before the server.
 */
const GATE = `read _ <&${FD.gate} || exit 125; exec ${FD.gate}<&-; { echo 500 >/proc/self/oom_score_adj; } 2>/dev/null; exec "$0" "$@"`
/** Node names its channel in the environment, which can be read inside too. */
const NETWORK_GATE = `unset NODE_CHANNEL_FD NODE_CHANNEL_SERIALIZATION_MODE; ${GATE}`

const PIPES = ['pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'] as const

function start(bwrap: string, uid: number | null, places: Places, layout: SandboxLayout): ChildProcess {
  const { options, command } = bwrapArguments(layout)
  const seccomp = openSync(places.files.seccomp, 'r')
  try {
    const fds = ['--json-status-fd', String(FD.status), '--args', String(FD.options)]
    const gate = layout.network === null ? GATE : NETWORK_GATE
    const child = spawn('/bin/sh', ['-c', gate, bwrap, ...fds, '--', ...command], {
      stdio: [...PIPES, seccomp, 'pipe', 'pipe', ...(layout.network === null ? [] : (['ipc'] as const))],
      // The launcher's environment and working directory can be read inside, under /proc/1.
      env: {},
      cwd: '/',
      ...(uid === null ? {} : { uid, gid: SANDBOX_GID }),
    })
    const pipe = child.stdio[FD.options] as Writable
    pipe.end(options.map((option) => `${option}\0`).join(''))
    return child
  } finally {
    closeSync(seccomp)
  }
}

async function openGate(child: ChildProcess, group: LimitGroup): Promise<void> {
  if (child.pid === undefined) {
    const [error] = (await once(child, 'error')) as [Error]
    throw sandboxFailure(error.message, 'The sandbox could not be started')
  }
  await group.join(child.pid)
  const gate = child.stdio[FD.gate] as Writable
  gate.end('\n')
}

function handle(
  child: ChildProcess,
  group: LimitGroup,
  network: SandboxNetwork | null,
  onGone: () => Promise<void>,
): Sandbox {
  // A pipe whose reader is gone is told by the end of the process, not by the write.
  for (const stream of child.stdio) stream?.on('error', () => undefined)
  let status = ''
  const statusPipe = child.stdio[FD.status] as Readable
  statusPipe.on('data', (chunk: Buffer) => {
    if (status.length < 4096) status += chunk.toString('latin1')
  })
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  let stopping: Promise<void> | null = null
  return {
    stdin: child.stdin!,
    stdout: child.stdout!,
    stderr: child.stderr!,
    extra: [child.stdio[3] as Duplex, child.stdio[4] as Duplex],
    limits: group,
    network,
    ended,
    started: () => status.includes('"exit-code"'),
    stop() {
      stopping ??= (async () => {
        network?.close()
        const removed = group.remove()
        child.kill('SIGKILL')
        await removed
        for (const stream of child.stdio) stream?.destroy()
        await ended
        await onGone()
      })()
      return stopping
    },
  }
}
