import { existsSync, lstatSync, readlinkSync } from 'node:fs'
import { type NetworkEntry, portsOf } from '../../model/network.ts'
import { CERTIFICATE_PATHS } from './certificates.ts'
import type { RuntimeFiles } from './runtime-files.ts'

export interface SandboxLayout {
  readonly files: RuntimeFiles
  /** What is run, seen from inside. */
  readonly command: readonly string[]
  readonly binds: readonly { readonly source: string; readonly target: string }[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** Processes and threads together. */
  readonly pids: number
  /** One tmpfs at /scratch, where /tmp lies too, or one at /tmp alone; in MB. */
  readonly disk: { readonly at: '/scratch' | '/tmp'; readonly mb: number }
  readonly shm_mb: number
  /** What may be reached; null for nothing. */
  readonly network: { readonly entries: readonly NetworkEntry[] } | null
  /** File descriptors of the launcher's child: the system call filter, and the channel to the server where there is a network. */
  readonly seccompFd: number
  readonly channelFd: number
}

/** Where things are inside. */
export const INSIDE = {
  node: '/opt/skillet/node',
  hosts: '/opt/skillet/hosts',
  bundle: '/skill',
}

/**
 * bubblewrap's arguments: an empty root, what is named here seen read-only, every namespace of its own, all of it sealed at the end.
 * `options` go through a pipe, since the command line can be read inside, under /proc/1; `command` is what follows them.
 */
export function bwrapArguments(layout: SandboxLayout): { options: string[]; command: string[] } {
  const { files, disk } = layout
  const options: Option[] = [
    // Each one by name: `--unshare-all` goes on without a user namespace where it cannot have one.
    ...['user', 'pid', 'net', 'ipc', 'uts', 'cgroup'].map((space): Option => [`--unshare-${space}`]),
    ['--die-with-parent'],
    ['--new-session'],
    ['--cap-drop', 'ALL'],
    ...(layout.network === null ? [] : OPENING_PORTS),
    ['--hostname', 'skillet'],
    ['--uid', '1000'],
    ['--gid', '1000'],
    ['--seccomp', String(layout.seccompFd)],
    ['--clearenv'],
    ...Object.entries(layout.env).map(([name, value]): Option => ['--setenv', name, value]),
    ['--ro-bind', '/usr', '/usr'],
    ...libraryLinks(),
    ['--ro-bind', files.etc, '/etc'],
    ...FROM_ETC.map((path): Option => ['--ro-bind-try', path, path]),
    ['--proc', '/proc'],
    ...procMasks(),
    ...FIRST_PROCESS,
    // Not `--dev`: that one is a writable tmpfs of half the memory, and a second user namespace for its devpts.
    ['--size', '65536', '--tmpfs', '/dev'],
    ...DEVICES.map((node): Option => ['--dev-bind', `/dev/${node}`, `/dev/${node}`]),
    ['--symlink', '/proc/self/fd', '/dev/fd'],
    ...['stdin', 'stdout', 'stderr'].map((name, fd): Option => ['--symlink', `/proc/self/fd/${fd}`, `/dev/${name}`]),
    ['--perms', '1777', '--size', mb(layout.shm_mb), '--tmpfs', '/dev/shm'],
    ['--perms', '1777', '--size', mb(disk.mb), '--tmpfs', disk.at],
    ...(disk.at === '/scratch' ? TMP_IN_SCRATCH : []),
    ['--ro-bind', files.node, INSIDE.node],
    ['--ro-bind', files.hosts, INSIDE.hosts],
    ...layout.binds.map(({ source, target }): Option => ['--ro-bind', source, target]),
    ['--remount-ro', '/dev'],
    ['--remount-ro', '/'],
    ['--chdir', layout.cwd],
  ]
  return { options: options.flat(), command: [...limits(layout.pids), ...openPorts(layout), ...layout.command] }
}

type Option = readonly string[]

/**
 * Covered by an empty folder. The first process is bubblewrap's own and has the same user, so its memory could be written: code planted
 * there would outlive the run, and make it forget to die with its parent.
 */
const FIRST_PROCESS: readonly Option[] = [
  ['--perms', '0555', '--size', '4096', '--tmpfs', '/proc/1'],
  ['--remount-ro', '/proc/1'],
]
const DEVICES = ['null', 'zero', 'full', 'random', 'urandom']
export const FROM_ETC = [...CERTIFICATE_PATHS, '/etc/alternatives', '/etc/ld.so.cache']
/** For the one program that opens the ports, which gives them up before anything else runs: the second is needed to do so for good. */
const OPENING_PORTS: readonly Option[] = [
  ['--cap-add', 'CAP_NET_BIND_SERVICE'],
  ['--cap-add', 'CAP_SETPCAP'],
]
/** One tmpfs for both, so that either may use all of it. */
const TMP_IN_SCRATCH: readonly Option[] = [
  ['--perms', '1777', '--dir', '/scratch/.tmp'],
  ['--symlink', 'scratch/.tmp', '/tmp'],
]

const mb = (count: number): string => String(Math.max(1, Math.floor(count)) * 2 ** 20)

/** /bin, /lib and so on as the host has them: links into /usr on today's distributions, folders on older ones. */
let links: readonly Option[] | null = null
export function libraryLinks(): readonly Option[] {
  links ??= findLibraryLinks()
  return links
}

function findLibraryLinks(): Option[] {
  const paths = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'].map((name) => `/${name}`)
  return paths
    .filter((path) => existsSync(path))
    .map((path) =>
      lstatSync(path).isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path],
    )
}

/** What tells of the host or of the kernel's insides, covered by an empty device; and /proc/sys sealed once more. */
let masks: readonly Option[] | null = null
function procMasks(): readonly Option[] {
  masks ??= [
    ['--ro-bind', '/proc/sys', '/proc/sys'],
    ...PROC_COVERED.map((name) => `/proc/${name}`)
      .filter((path) => existsSync(path))
      .map((path) => ['--dev-bind', '/dev/null', path]),
  ]
  return masks
}

const PROC_COVERED = [
  'cmdline',
  'config.gz',
  'kallsyms',
  'kcore',
  'keys',
  'key-users',
  'kmsg',
  'latency_stats',
  'mounts.old',
  'sched_debug',
  'sysrq-trigger',
  'timer_list',
  'timer_stats',
  'vmallocinfo',
  'version_signature',
]

function openPorts({ network, channelFd, files }: SandboxLayout): string[] {
  if (network === null) return []
  const program = [files.python, '-I', '-S', `${INSIDE.hosts}/${files.program('open_ports', files.python)}`]
  return [...program, String(channelFd), portsOf(network.entries).join(','), '--']
}

/** Set inside: counted before the user namespace exists, processes of other sandboxes of the same user would count too. */
function limits(pids: number): string[] {
  return [
    '/usr/bin/prlimit',
    `--nproc=${pids}`,
    '--nofile=1024',
    '--core=0',
    `--fsize=${4 * 2 ** 30}`,
    '--memlock=65536',
    '--',
  ]
}
