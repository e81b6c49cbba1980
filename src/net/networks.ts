import { BlockList, isIP } from 'node:net'

/**
 * Addresses and networks that an operator names, such as `10.0.0.5`, `10.0.0.0/8` or `fd00::/8`.
 * @throws NetworkListError
 */
export function parseNetworks(texts: readonly string[]): BlockList {
  const networks = new BlockList()
  for (const text of texts) {
    const [address = '', bits, ...rest] = text.trim().split('/')
    const version = isIP(address)
    const most = version === 6 ? 128 : 32
    const isPrefix = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most)
    if (version === 0 || address.includes('%') || rest.length > 0 || !isPrefix) throw new NetworkListError(text)
    networks.addSubnet(address, bits === undefined ? most : Number(bits), version === 6 ? 'ipv6' : 'ipv4')
  }
  return networks
}

/** A list of networks that cannot be used. */
export class NetworkListError extends Error {
  readonly fix = 'Give addresses or networks, such as 10.0.0.5, 10.0.0.0/8 or fd00::/8.'

  constructor(text: string) {
    super(`"${text}" is neither an address nor a network.`)
    this.name = 'NetworkListError'
  }
}

/** @param address Text without zone; what is no address is in no network. */
export function isWithin(networks: BlockList, address: string): boolean {
  const version = isIP(address)
  return version !== 0 && networks.check(address, version === 6 ? 'ipv6' : 'ipv4')
}
