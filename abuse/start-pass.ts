import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { INHERITED } from './inherited.ts'
import type { Row, User } from './report.ts'

export interface PassEvents {
  readonly onLine: (line: Row | { readonly limits: string }) => void
  /** It wants to go on with nothing else at work beside it. */
  readonly turn: () => Promise<void>
}

/**
 * Runs one pass to its end in a process of its own, whose descriptors and environment hold what is none of a sandbox's business. A root
 * process becomes an ordinary user for `user`. Interrupted, it ends what it is at and cleans up.
 * @returns How it ended, in words.
 */
export async function startPass(
  as: User,
  driver: 'bwrap' | 'runsc',
  only: readonly number[],
  { onLine, turn }: PassEvents,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'skillet-abuse-'))
  chmodSync(folder, 0o711)
  try {
    writeFileSync(join(folder, INHERITED.file), INHERITED.secret, { mode: 0o600 })
    const fd = openSync(join(folder, INHERITED.file), 'r+')
    let child: ChildProcess
    try {
      const rest = ['--as', as, '--driver', driver, '--only', only.join(',')]
      const env = { ...process.env, [INHERITED.variable]: INHERITED.secret }
      // Beyond those that a sandbox is given, which would take its place.
      const stdio = ['pipe', 'pipe', 'inherit', ...Array.from({ length: 20 }, () => 'ignore' as const), fd] as const
      const [program, args] =
        as === 'user' && process.getuid!() === 0 ? asOrdinaryUser(folder, rest) : [process.execPath, [PASS, ...rest]]
      child = spawn(program, [...args], { stdio: [...stdio], env })
    } finally {
      closeSync(fd)
    }
    const ended = new Promise<string>((resolve) => {
      child.once('error', ({ message }) => resolve(message))
      child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`))
    })
    const pass = (signal: NodeJS.Signals): void => void child.kill(signal)
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, pass)
    child.stdin!.on('error', () => undefined) // It is gone: that is what `ended` says.
    for await (const line of createInterface({ input: child.stdout! })) {
      const said = JSON.parse(line) as Row | { readonly limits: string } | { readonly waits: 'alone' }
      if ('waits' in said) void turn().then(() => child.stdin!.end())
      else onLine(said)
    }
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, pass)
    return await ended
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PASS = join(ROOT, 'abuse', 'pass.ts')
/** Neither of people, nor of sandboxes, nor of services that systemd invents users for; not the same for two suites at once. */
const ORDINARY_UID = 60_578 + (process.pid % 128)

/** The clone may lie where others cannot pass, such as /root: it is seen at another place too, by this process and its children only. */
function asOrdinaryUser(folder: string, rest: readonly string[]): [string, string[]] {
  mkdirSync(join(folder, 'clone'))
  writeFileSync(join(folder, 'node'), '')
  const uid = String(ORDINARY_UID)
  const script = `set -e; mount --bind "$1" "$3/clone"; mount --bind "$2" "$3/node"; cd "$3/clone"; home=$3; shift 3
    HOME=/nonexistent exec setpriv --reuid ${uid} --regid ${uid} --clear-groups -- "$home/node" "$home/clone/abuse/pass.ts" "$@"`
  const args = [
    '--mount',
    '--propagation',
    'private',
    '--',
    '/bin/sh',
    '-c',
    script,
    'sh',
    ROOT,
    process.execPath,
    folder,
  ]
  return ['unshare', [...args, ...rest]]
}
