import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, symlinkSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Duplex } from 'node:stream'
import { INSIDE } from '../bwrap/argv.ts'
import { requireStreams } from '../bwrap/failures.ts'
import { heldCommand } from '../bwrap/gate.ts'
import type { Jail } from '../bwrap/jail.ts'
import type { RuntimeFiles } from '../bwrap/runtime-files.ts'
import type { LaunchSpec } from '../bwrap/launch-spec.ts'

/**
 * No jail at all: a process like any other, for development where nothing better can be had. A folder stands for the root that it would
 * have, and what starts in it is told so by SKILLET_ROOT.
 */
export function createBareJail(files: RuntimeFiles): Jail {
  return {
    own: { processes: () => 0, memory_bytes: 0 },
    levels: 1,
    network: 'open',
    start(spec, user) {
      const root = makeRoot(files, spec)
      const moved = mover(root, spec)
      const [program, ...args] = heldCommand(spec).map(moved)
      const env = Object.fromEntries(Object.entries(spec.env).map(([name, value]) => [name, moved(value)]))
      const child: ChildProcess = spawn(program!, args, {
        stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
        env: { ...env, SKILLET_ROOT: root },
        cwd: moved(spec.cwd),
        // A process group of its own, so that all of it can be killed.
        detached: true,
        ...user,
      })
      try {
        requireStreams(child)
      } catch (error) {
        // Files have to be opened for it, too; what is left when none can be for long is in the folder for what is temporary.
        void rm(root, { recursive: true, force: true, maxRetries: 50 }).catch(() => undefined)
        throw error
      }
      return {
        child,
        stdin: child.stdin!,
        stdout: child.stdout!,
        stderr: child.stderr!,
        extra: [child.stdio[3] as Duplex, child.stdio[4] as Duplex],
        gate: null,
        started: () => child.pid !== undefined,
        kill: () => killGroup(child),
        clear: () => rm(root, { recursive: true, force: true }),
      }
    },
  }
}

/** Links to what would be mounted, and folders for what would be memory. */
function makeRoot(files: RuntimeFiles, { binds }: LaunchSpec): string {
  const root = mkdtempSync(join(tmpdir(), 'skillet-bare-'))
  chmodSync(root, 0o755)
  for (const folder of ['/tmp', '/scratch', '/scratch/.tmp']) {
    mkdirSync(root + folder)
    chmodSync(root + folder, 0o1777)
  }
  const shown = [{ source: files.node, target: INSIDE.node }, { source: files.hosts, target: INSIDE.hosts }, ...binds]
  for (const { source, target } of shown) {
    mkdirSync(root + dirname(target), { recursive: true, mode: 0o755 })
    symlinkSync(source, root + target)
  }
  return root
}

/** Paths inside become paths in the folder; all else stays what it is. */
function mover(root: string, { binds }: LaunchSpec): (text: string) => string {
  const inside = [INSIDE.node, INSIDE.hosts, '/scratch', '/tmp', ...binds.map(({ target }) => target)]
  return (text) => (inside.some((path) => text === path || text.startsWith(`${path}/`)) ? root + text : text)
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
