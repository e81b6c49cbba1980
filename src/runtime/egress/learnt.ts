import { lookup } from 'node:dns/promises'
import { isIPv4 } from 'node:net'
import { isPublicAddress } from '../../net/addresses.ts'
import { isProxied } from '../../net/dial.ts'
import type { AddressPolicy } from '../../net/policy.ts'
import { RequestFailed } from '../../net/request-failed.ts'
import { resolveTarget } from '../../net/resolve.ts'
import type { LearntNames } from './egress.ts'

/**
 * Where a name may be connected to that is nobody's word but that of a page: at public addresses; where the host that served the page is
 * not public itself, also beside it.
 * @returns Its addresses; null when only the operator's proxy knows it, and is the one to judge it.
 * @throws TargetRefused; RequestFailed when there is no address; the signal's reason
 */
export type Learnt = (name: string, port: number, signal: AbortSignal) => Promise<readonly string[] | null>

/** @param parts.policyFor Whom a tenant may reach where these networks are open besides. */
export function createLearnt(
  { from }: LearntNames,
  parts: {
    readonly policyFor: (networks: readonly string[]) => AddressPolicy
    readonly dnsServers: readonly string[] | undefined
  },
): Learnt {
  let policy: Promise<AddressPolicy> | null = null
  /** Without an address here, and that is found out once: it may take seconds. */
  const elsewhere = new Set<string>()
  return async (name, port, signal) => {
    if (elsewhere.has(name)) return null
    policy ??= networksOf(from).then(parts.policyFor)
    const target = { host: name, port, secure: true, path: '', authority: '' }
    try {
      const addresses = await resolveTarget(target, await policy, { servers: parts.dnsServers, signal })
      return isProxied(name) ? null : addresses
    } catch (error) {
      if (!(error instanceof RequestFailed) || !isProxied(name)) throw error
      elsewhere.add(name)
      return null
    }
  }
}

/** The networks in which a host is that is not public, as far as its neighbours. */
async function networksOf(host: string): Promise<string[]> {
  // One that only the proxy knows has none here.
  const found = await lookup(host, { all: true }).catch(() => [])
  const own = found
    .map(({ address }) => address)
    .filter((address) => !isPublicAddress(address) && !address.includes('%'))
  return own.map((address) => `${address}/${isIPv4(address) ? 24 : 64}`)
}
