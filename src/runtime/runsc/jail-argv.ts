import { INSIDE, FROM_ETC, libraryLinks } from '../bwrap/argv.ts'
import type { RuntimeFiles } from '../bwrap/runtime-files.ts'
import type { LaunchSpec } from '../bwrap/sandbox.ts'
import { GUEST_ROOT } from './guest.ts'

/** The guest's description, for runsc. */
const BUNDLE = '/bundle'

/**
 * bubblewrap's arguments for the jail around gVisor: whoever breaks out of its kernel is in a folder that holds what the guest sees and
 * runsc itself, without a network, as a user of its own. In there runsc is root of a user namespace, which it needs to be. All that
 * it writes is in memory that goes with the jail.
 */
export function runscArguments(
  runsc: string,
  files: RuntimeFiles,
  spec: LaunchSpec,
  fds: { readonly config: number },
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
  return { options: options.flat(), command: runscCommand(spec) }
}

type Option = readonly string[]

const RUNSC = '/opt/runsc'
const STATE = '/run'
/** What runsc needs in its user namespace to make the sandbox's own; none of it reaches beyond. */
const CAPABILITIES = ['ALL']

function guestRoot(files: RuntimeFiles, { binds, disk }: LaunchSpec): Option[] {
  const at = (path: string): string => GUEST_ROOT + path
  const inGuest = ([name, ...rest]: Option): Option => [name!, ...rest.slice(0, -1), at(rest.at(-1)!)]
  return [
    ...['/proc', '/sys', '/dev', ...(disk.at === '/tmp' ? ['/tmp'] : ['/scratch'])].map((path): Option => [
      '--dir',
      at(path),
    ]),
    ...(disk.at === '/tmp' ? [] : [['--symlink', 'scratch/.tmp', at('/tmp')]]),
    ['--ro-bind', '/usr', at('/usr')],
    ...libraryLinks().map(inGuest),
    ['--ro-bind', files.etc, at('/etc')],
    ...FROM_ETC.map((path): Option => ['--ro-bind-try', path, at(path)]),
    ['--ro-bind', files.node, at(INSIDE.node)],
    ['--ro-bind', files.hosts, at(INSIDE.hosts)],
    ...binds.map(({ source, target }): Option => ['--ro-bind', source, at(target)]),
  ]
}

function runscCommand({ kind }: LaunchSpec): string[] {
  const flags = [
    '--rootless',
    '--network=none',
    '--ignore-cgroups',
    '--oci-seccomp',
    `--root=${STATE}`,
    '--host-uds=none',
  ]
  const run = [RUNSC, ...flags, 'run', `--bundle=${BUNDLE}`, 'sandbox']
  // The socket that the guest gets in the place of its standard input.
  const begin = kind === 'host' ? '' : 'echo >&4; read _ <&4 || exit 125; '
  return ['/bin/sh', '-c', `${begin}exec 0<&3 3<&- 4<&-; exec "$@"`, 'sh', ...run]
}
