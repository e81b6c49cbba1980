import type { Readable } from 'node:stream'
import type { Usage } from '../../model/runs.ts'
import type { ToolResult, ToolSpec } from '../driver.ts'
import { certificateEnv } from './certificates.ts'
import { createDeniedList } from './denied-list.ts'
import { sandboxFailure } from './failures.ts'
import type { Launcher, Sandbox } from './sandbox.ts'

/** Runs one command in a sandbox that is made for it and gone after it. */
export async function runTool(launcher: Launcher, spec: ToolSpec, signal?: AbortSignal): Promise<ToolResult> {
  signal?.throwIfAborted()
  let ended: ToolResult['ended'] | null = null
  const sandbox = await launch(launcher, spec, () => (ended ??= 'memory_limit'))
  const denied = createDeniedList()
  let used: ReturnType<Sandbox['limits']['end']> | null = null
  const kill = (why: ToolResult['ended']): void => {
    ended ??= why
    used ??= sandbox.limits.end()
    // Awaited below, where its failure is told.
    sandbox.stop().catch(() => undefined)
  }
  const cancel = (): void => kill('cancelled')
  const timer = setTimeout(() => kill('timeout'), spec.timeout_ms)
  signal?.addEventListener('abort', cancel, { once: true })
  const began = performance.now()
  try {
    sandbox.limits.begin()
    if (signal?.aborted) cancel()
    if (sandbox.network !== null) sandbox.network.onDenied = denied.add
    const cap = spec.output_bytes ?? DEFAULT_OUTPUT
    sandbox.stdin.end(spec.stdin ?? '')
    const connected = begin(sandbox)
    connected?.catch(() => kill('cancelled'))
    const [stdout, stderr, artefactError, { code, signal: killedBy }] = await Promise.all([
      collect(sandbox.stdout, cap),
      collect(sandbox.stderr, cap),
      spec.artefact === undefined ? null : pass(sandbox.extra[0], spec.artefact, () => kill('output_limit')),
      sandbox.ended,
    ])
    if (artefactError !== null) throw artefactError
    used ??= sandbox.limits.end()
    const cutOff = (await connected) === false
    await sandbox.network?.told()
    if (used.oom && ended !== 'cancelled') ended = 'memory_limit'
    if (ended === null && (cutOff || !sandbox.started())) throw sandboxFailure(stderr, 'The sandbox could not be made')
    return {
      ended: ended ?? (killedBy !== null || isSignal(code) ? 'signal' : 'exit'),
      exitCode: code,
      stdout,
      stderr,
      denied: denied.list(),
      usage: usage(used, performance.now() - began, launcher),
    }
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', cancel)
    await sandbox.stop()
  }
}

export function usage(used: ReturnType<Sandbox['limits']['end']>, wall: number, launcher: Launcher): Usage {
  return {
    wall_ms: round(wall),
    cpu_ms: used.cpu_ms === null ? null : round(used.cpu_ms),
    peak_memory_bytes: used.peak_memory_bytes,
    limits: launcher.limits.strength,
  }
}

const round = (ms: number): number => Math.round(ms * 1000) / 1000

const DEFAULT_OUTPUT = 2 ** 20
const DEFAULT_PIDS = 128
/** A build may use two, and never all of a larger machine. */
const DEFAULT_CPUS = 2
const ENV = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/scratch', LANG: 'C.UTF-8', TMPDIR: '/tmp' }

/** Once what it may reach can be reached. */
function begin({ extra: [, line], network, tied }: Sandbox): Promise<boolean> | null {
  line.once('data', () => {
    // Its failure is told by what is returned.
    Promise.all([tied(), network?.connected])
      .then(() => line.write('\n'))
      .catch(() => undefined)
  })
  return network?.connected ?? null
}

function launch(launcher: Launcher, spec: ToolSpec, onExceeded: () => void): Promise<Sandbox> {
  const networked = spec.network !== undefined && spec.network.length > 0
  return launcher.launch({
    kind: 'command',
    held: true,
    forks: false,
    command: spec.argv,
    binds: spec.binds,
    env: { ...ENV, ...(networked ? certificateEnv() : {}), ...spec.env },
    network: networked ? { entries: spec.network, trust: 'operator', learnt: spec.learnt } : null,
    cwd: spec.cwd ?? '/scratch',
    pids: spec.pids ?? DEFAULT_PIDS,
    disk: { at: '/scratch', mb: spec.disk_mb },
    shm_mb: 16,
    // What lies in a tmpfs is memory too: a full disk is ENOSPC, not out of memory.
    memory_bytes: (spec.memory_mb + spec.disk_mb) * 2 ** 20,
    cpus: spec.cpus ?? DEFAULT_CPUS,
    onExceeded,
  })
}

/** Reads to the end, whatever comes, and keeps the beginning. */
async function collect(stream: Readable, cap: number): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (size < cap) chunks.push(chunk.subarray(0, cap - size))
      size += chunk.length
    }
  } catch (error) {
    if (!wasDestroyed(error)) throw error
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Hands on what the command writes, never more than the cap, and waits for the receiver. What the receiver throws is returned. */
async function pass(
  stream: Readable,
  { write, maxBytes }: NonNullable<ToolSpec['artefact']>,
  tooMuch: () => void,
): Promise<Error | null> {
  let left = maxBytes
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      left -= chunk.length
      if (left < 0) {
        tooMuch()
        return null
      }
      await write(chunk)
    }
  } catch (error) {
    if (wasDestroyed(error)) return null
    tooMuch()
    return error as Error
  }
  return null
}

/** The stream was ended by the sandbox's end. */
const wasDestroyed = (error: unknown): boolean =>
  ['ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED', 'ECONNRESET', 'EPIPE'].includes(
    (error as NodeJS.ErrnoException).code ?? '',
  )

/** bubblewrap reports a command killed by a signal as 128 and its number. */
const isSignal = (code: number | null): boolean => code !== null && code > 128 && code <= 128 + 64
