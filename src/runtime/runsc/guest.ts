import { INSIDE } from '../bwrap/argv.ts'
import type { LaunchSpec } from '../bwrap/launch-spec.ts'
import { GUEST_FILTER } from './guest-filter.ts'

/** Where the guest's root folder is for runsc, in the jail around it. */
export const GUEST_ROOT = '/guest'
/** What a command sees as /scratch: in the same memory as /tmp, so that either may use all of it. */
export const SCRATCH = '/tmp/.scratch'

/**
 * What runsc makes the sandbox from, as the OCI specification wants it. All that it shows of the host is below its root already, put
 * there by the jail; what is writable is the guest's own memory.
 */
export function guestConfig(spec: LaunchSpec): object {
  const { env, pids, disk, shm_mb, network } = spec
  const none: readonly string[] = []
  return {
    ociVersion: '1.0.2',
    process: {
      // The second group owns, seen from inside, what a root server shares with its sandboxes.
      user: { uid: 1000, gid: 1000, additionalGids: [0] },
      args: guestCommand(spec),
      env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
      cwd: '/',
      capabilities: { bounding: none, effective: none, inheritable: none, permitted: none, ambient: none },
      rlimits: [
        limit('RLIMIT_NPROC', pids),
        limit('RLIMIT_NOFILE', 1024),
        limit('RLIMIT_CORE', 0),
        limit('RLIMIT_FSIZE', 4 * 2 ** 30),
        limit('RLIMIT_MEMLOCK', 65_536),
      ],
      noNewPrivileges: true,
    },
    root: { path: GUEST_ROOT, readonly: true },
    hostname: 'skillet',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'nodev', 'noexec'] },
      tmpfs('/dev/shm', shm_mb),
      // At /tmp in any case: runsc would put one there that has no size.
      tmpfs('/tmp', disk.mb),
    ],
    linux: {
      namespaces: ['pid', ...(network === null ? ['network'] : []), 'ipc', 'uts', 'mount'].map((type) => ({ type })),
      seccomp: GUEST_FILTER,
    },
  }
}

/**
 * runsc passes on no descriptors but the first three. They are sockets, which carry both ways: the first brings calls and takes answers
 * away, or brings what a command reads and takes away its artefact.
 */
function guestCommand({ kind, command, disk, cwd, env }: LaunchSpec): string[] {
  const scratch = disk.at === '/scratch' ? `mkdir -m 1777 ${SCRATCH} || exit 125; ` : ''
  // runsc adds a HOME, the shell an OLDPWD.
  const added = ['OLDPWD', ...(env['HOME'] === undefined ? ['HOME'] : [])].join(' ')
  const streams = kind === 'host' ? 'exec 3<&0 4>&0 </dev/null' : 'exec 3>&0'
  // Node, as the first process, would not bury orphans: those who wait for them to be gone would wait for ever.
  const run = command[0] === INSIDE.node ? '"$@" & exec 3<&- 4<&-; wait $!' : 'exec "$@"'
  return ['/bin/sh', '-c', `${scratch}cd "$0" || exit 125; unset ${added}; ${streams}; ${run}`, cwd, ...command]
}

const limit = (type: string, most: number): object => ({ type, soft: most, hard: most })

const tmpfs = (destination: string, mb: number): object => ({
  destination,
  type: 'tmpfs',
  source: 'tmpfs',
  options: ['nosuid', 'nodev', 'mode=1777', `size=${Math.max(1, Math.floor(mb)) * 2 ** 20}`],
})
