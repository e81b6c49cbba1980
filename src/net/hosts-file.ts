import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'

/** The addresses that this machine's own table of hosts gives a name; none when it does not know it, or there is no table. */
export async function hostsFileAddresses(host: string, file = '/etc/hosts'): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  return text.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*$/, '').trim().split(/\s+/)
    return isIP(address) !== 0 && names.some((name) => name.toLowerCase() === host) ? [address] : []
  })
}
