import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import type { Duplex, Readable, Writable } from 'node:stream'
import { SandboxError } from '../driver.ts'
import type { Egress } from '../egress/egress.ts'
import { sandboxFailure } from './failures.ts'
import type { Jail, Started } from './jail.ts'
import type { LaunchSpec } from './launch-spec.ts'
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
  /** False when it ended before the command was started. */
  started(): boolean
  /** Resolves once all of it ends with this process, or when it has ended: nothing of others may begin in it before. Never rejects. */
  tied(): Promise<void>
  /** Kills everything in it and waits until nothing is left. May be called twice. */
  stop(): Promise<void>
}

/** Starts sandboxes in one server's places, and can end them all. */
export interface Launcher {
  readonly limits: Limits
  readonly files: Places['files']
  /** @throws SandboxError when the process cannot be started at all; what bubblewrap says comes on stderr. */
  launch(spec: LaunchSpec): Promise<Sandbox>
  close(): Promise<void>
}

/** @param egress The way out of those that get one. Without it none does. */
export function createLauncher(jail: Jail, places: Places, limits: Limits, egress?: Egress): Launcher {
  const uids = places.gid === null ? null : createUidPool()
  const living = new Set<Sandbox>()
  let closed = false

  async function launch(spec: LaunchSpec): Promise<Sandbox> {
    if (spec.network !== null && jail.network === 'held' && egress === undefined) {
      throw new SandboxError(NO_EGRESS, GIVE_EGRESS)
    }
    const uid = uids?.take() ?? null
    let started: Started | null = null
    let group: LimitGroup | null = null
    try {
      group = await limits.create({
        memory_bytes: spec.memory_bytes + jail.own.memory_bytes,
        pids: spec.pids + jail.own.processes(spec.pids),
        cpus: spec.cpus,
        keptLevels: spec.forks ? jail.levels : null,
        onExceeded() {
          spec.onExceeded?.()
          started?.kill()
        },
      })
      if (closed) throw new SandboxError('The server is stopping.', 'Start it again.')
      started = jail.start(spec, uid === null ? null : { uid, gid: SANDBOX_GID }, group.openEntrances)
      const rules = spec.network !== null && jail.network === 'held' ? spec.network : null
      const network = rules && openNetwork(started.child, egress!, { ...rules, allow: rules.entries })
      const sandbox = handle(started, group, network, async () => {
        if (uid !== null) uids!.release(uid)
        living.delete(sandbox)
      })
      living.add(sandbox)
      await openGate(started, group)
      return sandbox
    } catch (error) {
      const removed = group?.remove()
      started?.kill()
      await removed
      await started?.clear?.()
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

const NO_EGRESS = 'This server was started without a way out for sandboxes; a network list cannot be held.'
const GIVE_EGRESS = 'Give the driver an egress, or take the list away.'

async function openGate({ child, gate, enters }: Started, group: LimitGroup): Promise<void> {
  if (child.pid === undefined) {
    const [error] = (await once(child, 'error')) as [Error]
    throw sandboxFailure(error.message, 'The sandbox could not be started')
  }
  if (enters !== true) await group.join(child.pid)
  await giveUpFirst(child.pid)
  gate?.end('\n')
}

/** As the shell does itself, but set by root it cannot be lowered again from inside. Where root may not, the shell's has to do. */
async function giveUpFirst(pid: number): Promise<void> {
  if (process.getuid!() === 0) await writeFile(`/proc/${pid}/oom_score_adj`, '500').catch(() => undefined)
}

function handle(
  { child, stdin, stdout, stderr, extra, started, tied, kill, clear }: Started,
  group: LimitGroup,
  network: SandboxNetwork | null,
  onGone: () => Promise<void>,
): Sandbox {
  // A pipe whose reader is gone is told by the end of the process, not by the write.
  for (const stream of child.stdio) stream?.on('error', () => undefined)
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  let stopping: Promise<void> | null = null
  return {
    stdin,
    stdout,
    stderr,
    extra,
    limits: group,
    network,
    ended,
    started,
    tied: () => tied?.() ?? Promise.resolve(),
    stop() {
      stopping ??= (async () => {
        network?.close()
        const removed = group.remove()
        kill()
        await removed
        for (const stream of child.stdio) stream?.destroy()
        await ended
        await clear?.()
        await onGone()
      })()
      return stopping
    },
  }
}
