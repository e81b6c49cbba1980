import { isIP } from 'node:net'

/**
 * Where a server with that URL listens, as an address policy wants to know it. Null: the URL is empty, it does not listen yet. All
 * addresses of the machine count as its own, so a name need not be resolved.
 */
export function listensAt(url: string): { address: string; port: number } | null {
  if (url === '') return null
  const { hostname, port, protocol } = new URL(url)
  const address = hostname.replace(/^\[|\]$/g, '')
  return {
    address: isIP(address) === 0 ? '127.0.0.1' : address,
    port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
  }
}
