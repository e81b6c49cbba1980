import type { ChildProcess } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { portsOf } from '../../model/network.ts'
import { SandboxError } from '../driver.ts'
import type { DeniedAttempt, Egress, EgressLink, EgressRules, SandboxSockets } from '../egress/egress.ts'

/** The way out of one sandbox that has one. */
export interface SandboxNetwork {
  /** True once everything is served; false when the sandbox ended before that. @throws SandboxError */
  readonly connected: Promise<boolean>
  /** True when what served it is gone: nothing goes through any more. */
  readonly lost: boolean
  onDenied: (attempt: DeniedAttempt) => void
  onLost: () => void
  /** Resolves when every attempt that was refused until now has been handed to `onDenied`; soon, also where nobody tells. */
  told(): Promise<void>
  /** Ends every connection and gives up the sockets, which would keep the network namespace. May be called twice. */
  close(): void
}

/**
 * Takes the sockets that the sandbox's first program opens (open_ports.py) and has them served. They come over the channel of a
 * process that Node started, which is closed with the last of them: what runs in the sandbox later never has a word with Node's parser.
 */
export function openNetwork(child: ChildProcess, egress: Egress, rules: EgressRules): SandboxNetwork {
  const taken: Handle[] = []
  let link: EgressLink | null = null
  let closed = false
  const drop = (): void => {
    for (const handle of taken.splice(0)) handle.close()
  }
  async function connect(): Promise<boolean> {
    try {
      const sockets = await receive(child, portsOf(rules.allow), taken)
      if (sockets === null || closed) {
        drop()
        return false
      }
      link = await egress.connect(sockets, rules, {
        denied: (attempt) => network.onDenied(attempt),
        lost() {
          network.lost = true
          network.onLost()
        },
      })
      taken.length = 0
      if (closed) link.close()
      return !closed
    } catch (error) {
      drop()
      if (error instanceof SandboxError) throw error
      throw new SandboxError(`The way out of the sandbox cannot be served: ${(error as Error).message}`, TRY_AGAIN, {
        cause: error,
      })
    }
  }
  const network: SandboxNetwork & { lost: boolean } = {
    connected: connect(),
    lost: false,
    onDenied: () => undefined,
    onLost: () => undefined,
    async told() {
      if (link === null) return
      const told = new AbortController()
      const late = pause(TOLD_MS, undefined, { signal: told.signal, ref: false }).catch(() => undefined)
      await Promise.race([link.told(), late])
      told.abort()
    },
    close() {
      closed = true
      link?.close()
      drop()
    },
  }
  // Told to whoever waits for it.
  network.connected.catch(() => undefined)
  return network
}

/** Longest wait for a process that has much to do, or is stuck. */
const TOLD_MS = 1000
const TRY_AGAIN = 'It is started again with the next session; when that does not help, look at the log of the server.'

/** A handle as Node's channel delivers it: `UDP` or `TCP`. Closing it twice is no fault. */
interface Handle {
  close(): void
}

/**
 * One for the DNS, then one for each port; complete when the sandbox has closed the channel, as it does before anything else is run in
 * it. (Closed from here, Node would never say that the process's streams are at their ends.) Null when it ended before the last.
 */
function receive(child: ChildProcess, ports: readonly number[], taken: Handle[]): Promise<SandboxSockets | null> {
  const expected = [{ kind: 'UDP', port: DNS_PORT }, ...ports.map((port) => ({ kind: 'TCP', port }))]
  const { promise, resolve, reject } = Promise.withResolvers<SandboxSockets | null>()
  let faulty = false
  child.on('message', (message: unknown, handle: unknown) => {
    const wanted = expected[taken.length]
    const handed = isHandle(handle)
    if (handed) taken.push(handle)
    if (!faulty && handed && wanted?.kind === handle.constructor.name && says(message, wanted.port)) return
    faulty = true
    for (const each of taken.splice(0)) each.close()
    reject(new SandboxError('The sandbox sent something else than the sockets of its network list.', REPORT))
  })
  child.once('disconnect', () => {
    if (faulty || taken.length < expected.length) return
    const [dns, ...tcp] = taken
    resolve({ dns, tcp: ports.map((port, i) => ({ port, handle: tcp[i] })) })
  })
  child.once('close', () => resolve(null))
  return promise
}

const DNS_PORT = 53
const REPORT = 'Report this with the output of "skillet doctor" and the version of Node.'

const isHandle = (value: unknown): value is Handle =>
  typeof value === 'object' && value !== null && typeof (value as Partial<Handle>).close === 'function'

const says = (message: unknown, port: number): boolean =>
  typeof message === 'object' && message !== null && (message as { port?: unknown }).port === port
