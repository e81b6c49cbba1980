import { readFileSync } from 'node:fs'
import { SandboxError } from '../driver.ts'

/**
 * A server as root gives each sandbox a user of its own and ends it as another user: containers and services often take from root
 * what that needs. Without CAP_KILL even the doctor would find nothing, and a sandbox would outlive its time.
 * @param status What `/proc/self/status` says.
 * @throws SandboxError naming those that are missing.
 */
export function requireRootCapabilities(status: string = ownStatus()): void {
  const missing = NEEDED.filter(({ bit }) => !has(bit, status)).map(({ name }) => name)
  if (missing.length === 0) return
  throw new SandboxError(
    `The server runs as root without ${missing.join(', ')}, and cannot give sandboxes users of their own.`,
    `Run it as an ordinary user, or as root with ${NEEDED.map(({ name }) => name).join(', ')}, as in deploy/systemd/root.conf.`,
  )
}

/**
 * A watchdog has to see what sandboxes of other users hold: their shared pages and the inodes of their file systems.
 * @throws SandboxError when the server is root and cannot.
 */
export function requireSight(status: string = ownStatus()): void {
  if (!/^Uid:\s+\d+\s+0\s/m.test(status) || has(SYS_PTRACE, status)) return
  throw new SandboxError(
    'The server can hold limits by a watchdog only, and as root without CAP_SYS_PTRACE that sees nothing of what sandboxes hold.',
    'Give it a cgroup of version 2 that it can write, as deploy/systemd/root.conf and deploy/container/compose.hard-limits.yaml do, or run it as an ordinary user.',
  )
}

/** By their numbers in `linux/capability.h`. */
const NEEDED = [
  { name: 'CAP_CHOWN', bit: 0n },
  { name: 'CAP_KILL', bit: 5n },
  { name: 'CAP_SETGID', bit: 6n },
  { name: 'CAP_SETUID', bit: 7n },
]
const SYS_PTRACE = 19n

function has(bit: bigint, status: string): boolean {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
  return (effective & (1n << bit)) !== 0n
}

const ownStatus = (): string => readFileSync('/proc/self/status', 'utf8')
