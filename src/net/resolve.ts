import { Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import { hostsFileAddresses } from './hosts-file.ts'
import type { AddressPolicy } from './policy.ts'
import { RequestFailed } from './request-failed.ts'
import { type Target, TargetRefused, notAllowed } from './target.ts'

export interface ResolveOptions {
  /** DNS servers, as `address` or `address:port`. Default: the machine's. */
  readonly servers?: readonly string[] | undefined
  /** Default 5000. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Asks once for all addresses of a target. One that is refused refuses them all: whoever mixes them means no good, and which one is
 * connected to must not be chance.
 *
 * Asks the DNS itself and not by `getaddrinfo`: that holds one of two threads of the whole process for as long as a tenant's name
 * server likes, and tries the search domains of this machine's network.
 * @throws TargetRefused; RequestFailed when there is no address; the signal's reason
 */
export async function resolveTarget(
  target: Target,
  policy: AddressPolicy,
  options: ResolveOptions = {},
): Promise<string[]> {
  if (isIP(target.host) !== 0) return [target.host]
  // The machine's own table names its network, so it counts only where the operator opened some of that.
  const known = policy.opened ? await hostsFileAddresses(target.host) : []
  const addresses = known.length > 0 ? known : await ask(target.host, options)
  if (!addresses.every((address) => policy.allows(address, target.port, target.secure))) {
    throw new TargetRefused(
      notAllowed(addresses.length > 1 ? 'One of the addresses of its host' : 'The address of its host', target.secure),
    )
  }
  return addresses
}

async function ask(host: string, { servers, timeoutMs = 5000, signal }: ResolveOptions): Promise<string[]> {
  signal?.throwIfAborted()
  const resolver = new Resolver({ timeout: Math.ceil(timeoutMs / 2), tries: 2 })
  if (servers !== undefined) resolver.setServers(servers)
  const cancel = (): void => resolver.cancel()
  const timer = setTimeout(cancel, timeoutMs)
  signal?.addEventListener('abort', cancel, { once: true })
  try {
    const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
    signal?.throwIfAborted()
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
    if (found.length > MOST) throw new RequestFailed(`Its host has more than ${MOST} addresses.`)
    if (found.length > 0) return found
    const codes = answers.map((answer) =>
      answer.status === 'rejected' ? (answer.reason as { code?: string }).code : '',
    )
    const failed = codes.find((code) => code !== 'ENOTFOUND' && code !== 'ENODATA')?.replace('ECANCELLED', 'ETIMEOUT')
    throw new RequestFailed(
      failed === undefined ? 'Its host has no address.' : `The DNS gave no answer about its host (${failed}).`,
    )
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', cancel)
  }
}

/** Of one name. Each is held against all networks of this machine: thousands, which fit into an answer, would keep everybody waiting. */
const MOST = 64
