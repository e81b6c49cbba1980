import { isIP } from 'node:net'
import { isWithin, parseNetworks } from '../net/networks.ts'

/** Where a request comes from, as far as that can be trusted. Null when the socket is gone already. */
export type ClientAddress = (socketAddress: string | undefined, forwardedFor: string | undefined) => string | null

/**
 * The socket's own address; or, where that is a trusted proxy's, the right-most address of `X-Forwarded-For` that is none: whatever
 * stands left of it was written by whoever sent it.
 * @throws NetworkListError
 */
export function createClientAddress(trustProxies: readonly string[] = []): ClientAddress {
  if (trustProxies.length === 0) return (socketAddress) => (socketAddress === undefined ? null : plain(socketAddress))
  const proxies = parseNetworks(trustProxies)

  return (socketAddress, forwardedFor) => {
    if (socketAddress === undefined) return null
    let address = plain(socketAddress)
    const hops = forwardedFor?.split(',') ?? []
    while (isWithin(proxies, address)) {
      const hop = addressOf(hops.pop())
      // What a trusted proxy wrote down and we cannot read is as good as nothing: the proxy is all that is known.
      if (hop === null) break
      address = hop
    }
    return address
  }
}

/** Who shares a limit: an IPv4 address; of IPv6 the network of 64 bits, as one customer has all of it. */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address
  const [head = '', tail] = address.split('%', 1)[0]!.toLowerCase().split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right].slice(0, 4)
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`
}

/** One entry of the header: an address, in brackets or not, with a port or not. */
function addressOf(entry: string | undefined): string | null {
  if (entry === undefined) return null
  const text = entry.trim()
  const bare = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(text)?.[1] ?? text
  return isIP(bare) === 0 ? null : plain(bare)
}

/** An IPv4 address that came over an IPv6 socket is the same address. */
function plain(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  return mapped ?? address
}
