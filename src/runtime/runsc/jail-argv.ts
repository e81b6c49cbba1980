import { dirname } from 'node:path'
import { portsOf } from '../../model/network.ts'
import { FROM_ETC, INSIDE, libraryLinks } from '../bwrap/argv.ts'
import type { RuntimeFiles } from '../bwrap/runtime-files.ts'
import type { LaunchSpec } from '../bwrap/launch-spec.ts'
import { GUEST_ROOT, SCRATCH } from './guest.ts'

/** The guest's description, for runsc. */
const BUNDLE = '/bundle'

/**
 * bubblewrap's arguments for the jail around gVisor: whoever breaks out of its kernel is in a folder that holds what the guest sees and
 * runsc itself, without a network but for the ports of its list, as a user of its own. In there runsc is root of a user namespace, which it needs to be. All that
 * it writes is in memory that goes with the jail.
 */
export function runscArguments(
  runsc: string,
  files: RuntimeFiles,
  spec: LaunchSpec,
  fds: { readonly config: number; readonly channel: number },
): { options: string[]; command: string[] } {
  const options: Option[] = [
    ...['user', 'pid', 'net', 'ipc', 'uts', 'cgroup'].map((space): Option => [`--unshare-${space}`]),
    ['--die-with-parent'],
    ['--new-session'],
    ['--uid', '0'],
    ['--gid', '0'],
    ...CAPABILITIES.map((name): Option => ['--cap-add', name]),
    ['--hostname', 'skillet'],
    ['--clearenv'],
    ['--setenv', 'PATH', '/usr/bin:/bin'],
    ['--ro-bind', '/usr', '/usr'],
    ...libraryLinks(),
    ['--ro-bind', runsc, RUNSC],
    ['--proc', '/proc'],
    ['--size', '65536', '--tmpfs', '/dev'],
    ...['null', 'urandom'].map((node): Option => ['--dev-bind', `/dev/${node}`, `/dev/${node}`]),
    ['--dir', '/tmp'],
    ['--size', '1048576', '--tmpfs', STATE],
    ['--file', String(fds.config), `${BUNDLE}/config.json`],
    ...guestRoot(files, spec),
    ['--remount-ro', '/dev'],
    ['--chdir', '/'],
  ]
  return { options: options.flat(), command: runscCommand(files, spec, fds.channel) }
}

type Option = readonly string[]

const RUNSC = '/opt/runsc'
const STATE = '/run'
/** What runsc needs in its user namespace to make the sandbox's own; none of it reaches beyond. */
const CAPABILITIES = ['ALL']

function guestRoot(files: RuntimeFiles, { binds }: LaunchSpec): Option[] {
  const shown = [{ source: files.node, target: INSIDE.node }, { source: files.hosts, target: INSIDE.hosts }, ...binds]
  return [
    ...folders(['/proc', '/sys', '/dev', '/tmp', '/usr', '/etc', ...shown.map(({ target }) => dirname(target))]).map(
      (path): Option => ['--perms', '0755', '--dir', at(path)],
    ),
    ['--symlink', SCRATCH.slice(1), at('/scratch')],
    ['--ro-bind', '/usr', at('/usr')],
    ...libraryLinks().map(inGuest),
    ['--ro-bind', files.etc, at('/etc')],
    ...FROM_ETC.map((path): Option => ['--ro-bind-try', path, at(path)]),
    ...shown.map(({ source, target }): Option => ['--ro-bind', source, at(target)]),
  ]
}

const at = (path: string): string => GUEST_ROOT + path
const inGuest = ([name, ...rest]: Option): Option => [name!, ...rest.slice(0, -1), at(rest.at(-1)!)]

/** With those above each, outermost first: what bubblewrap makes by itself is for its own user only. */
function folders(paths: readonly string[]): string[] {
  const all = new Set<string>()
  for (const path of paths) {
    const names = path.split('/').slice(1)
    for (let depth = 0; depth <= names.length; depth++)
      all.add(`/${names.slice(0, depth).join('/')}`.replace(/\/$/, ''))
  }
  return [...all]
}

/**
 * Without a network list the guest's kernel has a network of its own that leads nowhere. With one it uses that of the jail, where there
 * is nothing but the ports that were opened for it.
 */
function runscCommand(files: RuntimeFiles, { kind, held, network }: LaunchSpec, channelFd: number): string[] {
  const flags = [
    '--rootless',
    `--network=${network === null ? 'none' : 'host'}`,
    '--ignore-cgroups',
    '--oci-seccomp',
    '--host-uds=none',
    `--root=${STATE}`,
  ]
  // The socket that the guest gets in the place of its standard input.
  const streams = 'exec 0<&3 3<&- 4<&-; exec "$@"'
  const line = kind === 'host' ? 3 : 4
  const script = TIED + (held ? `echo >&${line}; read _ <&${line} || exit 125; ${streams}` : streams)
  const run = ['/bin/sh', '-c', script, 'sh', RUNSC, ...flags, 'run', `--bundle=${BUNDLE}`, 'sandbox']
  if (network === null) return run
  const program = `${GUEST_ROOT}${INSIDE.hosts}/${files.program('open_ports', files.python)}`
  return [files.python, '-I', '-S', program, String(channelFd), portsOf(network.entries).join(','), 'keep', ...run]
}

/**
 * bubblewrap's process, the first in the jail, buries orphans only after it has asked to die with its parent: see tied.ts. Without a system
 * call filter that is all that can be seen of it.
 */
const TIED = 'p=$(sleep 9 >/dev/null & echo $!); kill -9 $p; while kill -0 $p 2>/dev/null; do :; done; '
