import { presentRuntime } from '../runtimes.ts'
import { SESSION_TMPFS } from '../session-tmpfs.ts'
import { SandboxError, type Session, type SessionSpec } from '../driver.ts'
import { INSIDE } from './argv.ts'
import { certificateEnv } from './certificates.ts'
import { sandboxFailure } from './failures.ts'
import { type HostLine, openHostLine } from './host-line.ts'
import { ProtocolFault } from './protocol.ts'
import type { RuntimeFiles } from './runtime-files.ts'
import type { Launcher, Sandbox } from './sandbox.ts'
import { createSession } from './session-calls.ts'

/** Starts a sandbox with the host for the handler in it and waits until that takes calls. */
export async function prepareSession(launcher: Launcher, spec: SessionSpec, signal?: AbortSignal): Promise<Session> {
  signal?.throwIfAborted()
  const networked = spec.network.length > 0
  let exceeded = false
  // Before its first call a host begins with code of others in one case only.
  const held = spec.ahead === true && spec.handler.kind !== 'node'
  const sandbox = await launcher.launch({
    kind: 'host',
    held,
    forks: spec.handler.kind !== 'node',
    command: await hostCommand(spec, launcher.files),
    binds: [{ source: spec.bundle, target: INSIDE.bundle }],
    // Programs that are started with the sandbox read it then.
    env: networked ? certificateEnv() : {},
    network: networked ? { entries: spec.network, trust: 'tenant' } : null,
    cwd: '/',
    pids: SESSION_PIDS,
    disk: { at: '/tmp', mb: spec.memory_mb * SESSION_TMPFS.tmp },
    shm_mb: spec.memory_mb * SESSION_TMPFS.shm,
    memory_bytes: spec.memory_mb * 2 ** 20,
    cpus: spec.cpus ?? Infinity,
    onExceeded: () => (exceeded = true),
  })
  try {
    const line = openHostLine(sandbox, held)
    const [said, connected] = await Promise.all([ready(line, sandbox.tied, signal), sandbox.network?.connected])
    if (said.more)
      throw new SandboxError('The host in the sandbox said more than "ready" before it was called.', REPORT)
    if (connected === false) throw new SandboxError('The sandbox took calls before its ports were open.', REPORT)
    return createSession(spec, sandbox, line, { strength: launcher.limits.strength, exceeded: () => exceeded })
  } catch (error) {
    await sandbox.stop()
    throw error
  }
}

const SESSION_PIDS = 128
/** Milliseconds until a host that does not answer is given up. */
const READY_MS = 30_000

async function hostCommand(
  { handler, runtime, memory_mb, ahead = false }: SessionSpec,
  files: RuntimeFiles,
): Promise<string[]> {
  const { path } = await presentRuntime(files.runtimes, runtime)
  const config = JSON.stringify({ handler, ahead })
  if (handler.kind !== 'node') {
    return [path, '-I', '-S', `${INSIDE.hosts}/${files.program('python_host', path)}`, config]
  }
  const heap = Math.max(32, Math.floor(memory_mb * 0.6))
  return [INSIDE.node, `--max-old-space-size=${heap}`, '--disable-sigusr1', `${INSIDE.hosts}/node_host.mjs`, config]
}

/** @returns Whether it says more before somebody else listens. */
async function ready(line: HostLine, tied: Sandbox['tied'], signal?: AbortSignal): Promise<{ readonly more: boolean }> {
  let said = ''
  const after = { begun: false, more: false }
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  line.onOutput = (_, chunk) => {
    if (said.length < 4096) said += chunk.toString('utf8')
  }
  line.onMessage = (message) => {
    after.more = after.begun
    after.begun = true
    if (after.more) return
    if (!(message instanceof ProtocolFault) && message.type === 'ready' && message.after === null)
      void tied().then(resolve)
    else reject(new SandboxError('The host in the sandbox began with something else than "ready".', REPORT))
  }
  line.onGone = () => reject(sandboxFailure(said, 'The sandbox ended before it took calls'))
  const abort = (): void => reject(signal!.reason as Error)
  signal?.addEventListener('abort', abort, { once: true })
  const timer = setTimeout(
    () =>
      reject(
        new SandboxError(`The sandbox took no calls within ${READY_MS} ms.`, 'Give the machine more to work with.'),
      ),
    READY_MS,
  )
  try {
    if (signal?.aborted) abort()
    await promise
    return after
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
}

const REPORT = 'Report this with the output of "skillet doctor".'
