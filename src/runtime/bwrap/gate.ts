/**
 * The shell waits until it was put under the limits, so that nothing ever runs without them, and becomes what it was given then. When
 * the server dies first the gate's pipe ends. The kernel, short of memory, takes sandboxes before the server.
 */
export const GATE_FD: number = 5
export const GATE = `read _ <&${GATE_FD} || exit 125; exec ${GATE_FD}<&-; { echo 500 >/proc/self/oom_score_adj; } 2>/dev/null; exec "$0" "$@"`

/** Node names its channel in the environment, which can be read inside too. */
export const WITHOUT_CHANNEL = 'unset NODE_CHANNEL_FD NODE_CHANNEL_SERIALIZATION_MODE; '

/**
 * bubblewrap asks to die with its parent only some time after it was started: a server that is killed before that would leave the
 * command running. So the command says that it is there and begins when the server, still alive, has answered.
 */
export const HELD_COMMAND = ['/bin/sh', '-c', 'echo >&4; read _ <&4 || exit 125; exec 4<&-; exec "$@"', 'sh']
