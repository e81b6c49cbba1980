import { isIP } from 'node:net'
import type { Site } from '../../http/site.ts'
import { SkilletError } from '../../model/errors.ts'

/**
 * A page of the web may give its own name our address and then speak to us with somebody's browser (DNS rebinding). So a request must come
 * by a name that is ours, and from no other site.
 * @throws SkilletError host_refused
 */
export function requireSameSite(
  { publicUrl, listening }: Pick<Site, 'publicUrl' | 'listening'>,
  header: (name: string) => string | undefined,
): void {
  const own = new Set([publicUrl ?? '', listening()].map((url) => URL.parse(url)?.hostname))
  const host = URL.parse(`http://${header('host') ?? ''}`)?.hostname ?? ''
  // What is written as an address was looked up by nobody.
  if (!isAddress(host) && !isLocal(host) && !own.has(host)) {
    throw new SkilletError(
      'host_refused',
      `The request came for the host "${host.slice(0, 100)}", which is not this one.`,
    )
  }
  const origin = header('origin')
  if (origin === undefined) return
  const site = URL.parse(origin)?.hostname ?? ''
  const here = site === host || own.has(site) || (isLocal(site) && isLocal(host))
  if (!here) throw new SkilletError('host_refused', `The request came from the site "${origin.slice(0, 100)}".`)
}

const isAddress = (host: string): boolean => isIP(host.replace(/^\[|\]$/g, '')) !== 0

const isLocal = (host: string): boolean => /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(host)
