import { type Socket, connect } from 'node:net'
import { dial } from '../../net/dial.ts'
import type { AddressPolicy } from '../../net/policy.ts'
import { resolveTarget } from '../../net/resolve.ts'
import { TargetRefused } from '../../net/target.ts'
import type { EgressRules } from './egress.ts'
import type { Learnt } from './learnt.ts'
import { Refused } from './refused.ts'

export interface ReachOptions {
  readonly trust: EgressRules['trust']
  /** Null: there are none. */
  readonly learnt: { readonly names: readonly string[]; readonly addresses: Learnt } | null
  readonly policy: AddressPolicy
  readonly dnsServers: readonly string[] | undefined
  /** In all. */
  readonly connectMs: number
}

/** A connection to a name of the list; paused. @throws Refused address, unreachable; the signal's reason */
export type Reach = (name: string, port: number, signal: AbortSignal) => Promise<Socket>

/**
 * A tenant's names are looked up once for each connection, and connected to by an address of that very answer: what a name means a
 * moment later is never asked. An operator's are left to the machine and its proxy; what was learnt from a page of theirs is not.
 */
export function createReach({ trust, learnt, policy, dnsServers, connectMs }: ReachOptions): Reach {
  async function checked(name: string, port: number, signal: AbortSignal): Promise<Socket> {
    // Whether it is spoken to by TLS is seen elsewhere; what is public is open on each port of the list.
    const target = { host: name, port, secure: true, path: '', authority: '' }
    return await oneOf(await resolveTarget(target, policy, { servers: dnsServers, signal }), port, signal)
  }

  async function oneOf(addresses: readonly string[], port: number, signal: AbortSignal): Promise<Socket> {
    const until = performance.now() + connectMs
    let failure: unknown
    const tried = addresses.slice(0, ADDRESSES)
    for (const [i, host] of tried.entries()) {
      const left = until - performance.now()
      if (left <= 0) break
      // One that does not answer leaves time for the next.
      const timeoutMs = i === tried.length - 1 ? left : Math.max(left / 2, 1)
      try {
        return await connected(host, port, AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(timeoutMs))]))
      } catch (error) {
        signal.throwIfAborted()
        failure = error
      }
    }
    throw new Refused('unreachable', { cause: failure })
  }

  return async (name, port, signal) => {
    try {
      if (trust === 'tenant') return await checked(name, port, signal)
      const found = learnt?.names.includes(name) ? await learnt.addresses(name, port, signal) : null
      if (found !== null) return await oneOf(found, port, signal)
      return await dial(name, port, { signal: AbortSignal.any([signal, AbortSignal.timeout(PROXY_MS)]) })
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof Refused) throw error
      throw new Refused(error instanceof TargetRefused ? 'address' : 'unreachable', { cause: error })
    }
  }
}

/** Of one name. */
const ADDRESSES = 8
/** Proxies look names up and dial before they answer. */
const PROXY_MS = 30_000

function connected(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true })
    const give = (): void => void socket.destroy(signal.reason as Error)
    signal.addEventListener('abort', give, { once: true })
    socket.once('close', () => signal.removeEventListener('abort', give))
    // Stays: an error that comes before somebody else listens must not end the process.
    socket.on('error', reject)
    socket.once('connect', () => {
      signal.removeEventListener('abort', give)
      resolve(socket)
    })
  })
}
