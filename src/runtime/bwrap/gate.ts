import type { LaunchSpec } from './launch-spec.ts'

/**
 * The shell waits until it was put under the limits, so that nothing ever runs without them, and becomes what it was given then. When
 * the server dies first the gate's pipe ends. The kernel, short of memory, takes sandboxes before the server.
 */
export const GATE_FD: number = 5
export const GATE: string = gate(GATE_FD)

/**
 * Where the shell puts itself under the limits: another process would be moved only after the kernel has waited for all processors. It knows
 * descriptors of one digit only, so that those that let it in come before those that the sandbox gets as 3 and 4.
 */
export const ENTRY_FDS = { entrances: [3, 4, 5, 6], extra: [7, 8], gate: 9 } as const

/** The entrances are closed before anything else is done: whoever has one could move any process of the machine. */
export function entryGate(entrances: number): string {
  const taken = ENTRY_FDS.entrances.slice(0, entrances)
  const enter = taken.map((fd) => `echo 0 >&${fd} || exit 125; `)
  const close = taken.map((fd) => ` ${fd}>&-`)
  const [first, second] = ENTRY_FDS.extra
  const extra = `exec 3<&${first} 4>&${second} ${first}<&- ${second}>&-; `
  return `${enter.join('')}exec${close.join('')}; ${extra}${gate(ENTRY_FDS.gate)}`
}

function gate(fd: number): string {
  return `read _ <&${fd} || exit 125; exec ${fd}<&-; { echo 500 >/proc/self/oom_score_adj; } 2>/dev/null; exec "$0" "$@"`
}

/** Node names its channel in the environment, which can be read inside too. */
export const WITHOUT_CHANNEL = 'unset NODE_CHANNEL_FD NODE_CHANNEL_SERIALIZATION_MODE; '

/**
 * bubblewrap asks to die with its parent only some time after it was started: a server that is killed before that would leave the
 * command running. So the command says that it is there and begins when the server, still alive, has answered.
 * That line is also how one knows that bubblewrap has made the sandbox. Its own `--json-status-fd` would tell as much, but with nobody left
 * to read it bubblewrap dies of it, between making its child and telling it to go on: that child would wait for ever, and nobody end it.
 */
export function heldCommand({ kind, held, command }: Pick<LaunchSpec, 'kind' | 'held' | 'command'>): readonly string[] {
  // A host answers on it later.
  const close = kind === 'host' ? '' : 'exec 4<&-; '
  return held ? ['/bin/sh', '-c', `echo >&4; read _ <&4 || exit 125; ${close}exec "$@"`, 'sh', ...command] : command
}
