import { readFileSync } from 'node:fs'
import { SandboxError } from '../driver.ts'

/**
 * A server as root gives each sandbox a user of its own and ends it as another user: containers and services often take from root
 * what that needs. Without CAP_KILL even the doctor would find nothing, and a sandbox would outlive its time.
 * @param status What `/proc/self/status` says.
 * @throws SandboxError naming those that are missing.
 */
export function requireRootCapabilities(status: string = readFileSync('/proc/self/status', 'utf8')): void {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
  const missing = NEEDED.filter(({ bit }) => (effective & (1n << bit)) === 0n).map(({ name }) => name)
  if (missing.length === 0) return
  throw new SandboxError(
    `The server runs as root without ${missing.join(', ')}, and cannot give sandboxes users of their own.`,
    `Run it as an ordinary user, or as root with ${NEEDED.map(({ name }) => name).join(', ')}, as in deploy/systemd/root.conf.`,
  )
}

/** By their numbers in `linux/capability.h`. */
const NEEDED = [
  { name: 'CAP_CHOWN', bit: 0n },
  { name: 'CAP_KILL', bit: 5n },
  { name: 'CAP_SETGID', bit: 6n },
  { name: 'CAP_SETUID', bit: 7n },
]
