import { type BlockList, isIP, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { isPublicAddress } from './addresses.ts'
import { isWithin, parseNetworks } from './networks.ts'

export interface AddressPolicyOptions {
  /** Networks that the operator opens although they are not public; plain http goes to these only. Default: none. */
  readonly networks?: readonly string[] | undefined
  /** Where this server listens, which nobody may make it talk to. Null: not yet. */
  readonly own: () => { readonly address: string; readonly port: number } | null
}

/** Whom tenants may make this server talk to. */
export interface AddressPolicy {
  /** Whether the operator opened any network. */
  readonly opened: boolean
  /** @param secure Over TLS. */
  allows(address: string, port: number, secure: boolean): boolean
}

/**
 * The public internet over TLS, and what the operator opened. Never, whatever was opened: this server's own port on any address of this
 * machine, and addresses that nobody opens on purpose.
 * @throws NetworkListError
 */
export function createAddressPolicy({ networks = [], own }: AddressPolicyOptions): AddressPolicy {
  const open = parseNetworks(networks)
  return {
    opened: networks.length > 0,
    allows(address, port, secure) {
      // A zone names an interface of this machine: nothing on the internet has one.
      if (address.includes('%') || isWithin(NEVER, address) || (isIPv6(address) && isWithin(MAPPED, address)))
        return false
      const self = own()
      if (self !== null && port === self.port && isWithin(machine(self.address), address)) return false
      return isWithin(open, address) || (secure && isPublicAddress(address))
    },
  }
}

/** Not even as a part of a network that was opened: metadata of clouds, and what means another address than it says. */
const NEVER: BlockList = parseNetworks([
  '0.0.0.0/8', // unspecified: a connection to it comes out at this machine
  '::/128',
  '224.0.0.0/4', // multicast
  'ff00::/8',
  '255.255.255.255', // broadcast
  '169.254.169.254', // metadata of most clouds
  '169.254.170.2', // credentials of ECS tasks
  '169.254.170.23', // credentials of EKS pods
  'fd00:ec2::/32', // metadata and credentials of AWS
  'fd20:ce::254', // Google
  '100.100.100.200', // Alibaba
  '168.63.129.16', // Azure
  '192.0.0.192', // Oracle
  '::ffff:0:0:0/96', // IPv4-translated
  '64:ff9b::/96', // NAT64
  '64:ff9b:1::/48',
  '2002::/16', // 6to4
  '2001::/32', // Teredo
])

/** IPv4 as IPv6. By itself, as lists of networks take these for the IPv4 addresses that they carry, and the other way round. */
const MAPPED: BlockList = parseNetworks(['::ffff:0:0/96'])

/** All addresses at which this machine answers, as of now. */
function machine(listening: string): BlockList {
  const found = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address))
  const all = [...found, listening].filter((address) => isIP(address) !== 0 && !address.includes('%'))
  return parseNetworks(['127.0.0.0/8', '::1', ...all])
}
