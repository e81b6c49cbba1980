import type { ChildProcess } from 'node:child_process'
import { SandboxError } from '../driver.ts'

/** What bubblewrap says when it cannot make a sandbox, as an error that names the remedy. */
export function sandboxFailure(stderr: string, what: string): SandboxError {
  const said = stderr.trim().slice(0, 500)
  const known = KNOWN.find(({ pattern }) => pattern.test(said))
  const fix = known?.fix ?? 'Run "skillet doctor" on this machine; it tries each part of the isolation by itself.'
  return new SandboxError(`${what}${said === '' ? '.' : `: ${said}`}`, fix)
}

/**
 * Where too many files are open a process that was not started has no streams, and says so by an event that nobody would hear: it would end
 * the server. @throws SandboxError
 */
export function requireStreams(child: ChildProcess): void {
  // Node's types know nothing of it.
  if ((child.stdio as unknown) !== undefined) return
  child.on('error', () => undefined)
  throw new SandboxError(
    'The sandbox could not be started: the server has too many files open.',
    'Let the server have more of them open (systemd: LimitNOFILE=, else ulimit -n).',
  )
}

const KNOWN: readonly { readonly pattern: RegExp; readonly fix: string }[] = [
  {
    pattern: /nesting depth or .* exceeded|ENOSPC|No space left on device/i,
    fix: 'Allow user namespaces: sysctl -w user.max_user_namespaces=15000 (in a container: on its host).',
  },
  {
    pattern: /No permissions to creat(e|ing) (a )?new namespace|new namespace failed: Function not implemented/i,
    fix:
      'Allow user namespaces for bwrap. In a container: --security-opt seccomp=deploy/container/seccomp.json --security-opt systempaths=unconfined. ' +
      'On Ubuntu 24.04 or later: AppArmor with deploy/apparmor/bwrap. On older Debian: sysctl -w kernel.unprivileged_userns_clone=1. ' +
      'In systemd: RestrictNamespaces as in deploy/systemd/skillet.service. See docs/deployment.md.',
  },
  {
    pattern: /setting up uid map: (Operation not permitted|Permission denied)/i,
    fix: 'Run the server as an ordinary user, or as root with the capabilities of deploy/systemd/root.conf.',
  },
  {
    pattern: /mount proc on .*(Operation not permitted|Permission denied)/i,
    fix:
      'Let the server see the whole /proc. Docker: --security-opt systempaths=unconfined. Kubernetes: procMount: Unmasked. ' +
      'systemd: none of ProtectKernelTunables, ProtectProc, ProcSubset. See docs/deployment.md.',
  },
  {
    pattern: /(make \/ slave|pivot_root|unmount old root|set hostname).*(not permitted|not implemented)/i,
    fix:
      'Allow bwrap to mount, pivot_root, umount2 and sethostname: with deploy/container/seccomp.json in a container, ' +
      'with the SystemCallFilter of deploy/systemd/skillet.service and without ProtectHostname in systemd. See docs/deployment.md.',
  },
  {
    pattern: /NETLINK_ROUTE socket/i,
    fix: 'Allow bwrap sockets of AF_NETLINK: in systemd RestrictAddressFamilies as in deploy/systemd/skillet.service.',
  },
  {
    pattern: /unknown option|unrecognized option/i,
    fix: 'Install bubblewrap 0.8 or later.',
  },
  {
    pattern: /Can't find source path|Can't bind mount|Can't (open|stat|access)/i,
    fix: 'The path must exist and be readable for sandboxes: keep it under the folders that the server made for them.',
  },
  {
    pattern: /exec(vp)?:? .*bwrap|bwrap: not found/i,
    fix: 'Install bubblewrap (Debian, Ubuntu: apt-get install bubblewrap).',
  },
]
