import { Agent, get } from 'node:https'
import { getCACertificates, rootCertificates } from 'node:tls'
import { type NetworkEntry, parseNetworkEntry } from '../../model/network.ts'

/**
 * Hosts on which an index keeps the files of a package, as its own page of the first one that it has says; none when it has none of them.
 * Only https counts. A page counts for an hour, and for whoever asks for this package: what its publisher may have put there leads nobody
 * else astray.
 * @throws when the index does not answer.
 */
type FileHosts = (index: URL, names: readonly string[]) => Promise<readonly NetworkEntry[]>

/** @param options.ca Whom to trust. Default: whom Node and the machine trust. */
export function createFileHosts(
  options: { readonly now?: () => number; readonly ca?: readonly string[] } = {},
): FileHosts {
  const { now = Date.now } = options
  const known = new Map<string, { readonly hosts: readonly NetworkEntry[]; readonly until: number }>()

  function remember(page: string, hosts: readonly NetworkEntry[]): void {
    known.delete(page)
    known.set(page, { hosts, until: now() + KEPT_MS })
    for (const oldest of known.keys()) {
      if (known.size <= MOST_PAGES) break
      known.delete(oldest)
    }
  }

  return async (index, names) => {
    const agent = new Agent({ proxyEnv: process.env, ca: [...(options.ca ?? certificates())] })
    try {
      for (const name of names.slice(0, MOST_NAMES)) {
        const page = new URL(`${index.href.replace(/\/?$/, '/')}${normalised(name)}/`)
        const kept = known.get(page.href)
        if (kept !== undefined && kept.until > now()) return kept.hosts
        const text = await beginning(page, agent)
        if (text === null) continue
        const hosts = hostsOn(page, text)
        if (hosts.length === 0) continue
        remember(page.href, hosts)
        return hosts
      }
      return []
    } finally {
      agent.destroy()
    }
  }
}

const KEPT_MS = 3_600_000
const MOST_PAGES = 1000
const MOST_NAMES = 10

/**
 * Hosts that a page of an index links to, eight at the most. Whoever publishes a package may have a say in what stands there: so only names
 * at the port of https count, or at the index's own; their addresses are looked at when they are connected to.
 */
export function hostsOn(page: URL, text: string): NetworkEntry[] {
  const hosts = new Map<string, NetworkEntry>()
  for (const [, json, html] of text.matchAll(/"url"\s*:\s*"([^"]{1,2000})"|href\s*=\s*"([^"]{1,2000})"/g)) {
    const url = URL.canParse((json ?? html)!, page.href) ? new URL((json ?? html)!, page) : null
    if (url?.protocol !== 'https:') continue
    const fits = url.host === page.host || (url.port === '' && parseNetworkEntry(url.hostname) !== null)
    if (fits && hosts.size < 8) hosts.set(url.host, networkEntry(url))
  }
  return [...hosts.values()]
}

/** Of an https URL. */
export function networkEntry({ hostname, port }: URL): NetworkEntry {
  return { name: hostname, wildcard: false, ports: [port === '' ? 443 : Number(port)] }
}

const normalised = (name: string): string => encodeURIComponent(name.toLowerCase().replace(/[-_.]+/g, '-'))

/** What Node trusts and what the machine trusts: an index of one's own may have a certificate of one's own. */
function certificates(): string[] {
  return [...rootCertificates, ...getCACertificates('system'), ...getCACertificates('extra')]
}

/** The page of a popular package has megabytes; the files at its beginning lie where the others lie. */
const ENOUGH = 256 * 1024

/** Null: the index does not have it. */
function beginning(page: URL, agent: Agent, redirects = 3): Promise<string | null> {
  const accept = 'application/vnd.pypi.simple.v1+json, text/html;q=0.5'
  return new Promise((resolve, reject) => {
    const request = get(page, { agent, headers: { accept }, timeout: 30_000 }, (response) => {
      const { statusCode = 0, headers } = response
      if (statusCode >= 300 && statusCode < 400 && headers.location && redirects > 0) {
        response.destroy()
        const next = new URL(headers.location, page)
        // Another host would be one that the operator did not name.
        if (next.host !== page.host || next.protocol !== 'https:')
          reject(new Error('The package index redirects to another host.'))
        else beginning(next, agent, redirects - 1).then(resolve, reject)
        return
      }
      if (statusCode !== 200) {
        response.destroy()
        if (statusCode === 404) resolve(null)
        else reject(new Error(`The package index answered with status ${statusCode}.`))
        return
      }
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
        if (text.length >= ENOUGH) {
          resolve(text)
          response.destroy()
        }
      })
      response.once('end', () => resolve(text))
      response.once('error', reject)
    })
    request.once('timeout', () => request.destroy(new Error('The package index does not answer.')))
    request.once('error', reject)
  })
}
