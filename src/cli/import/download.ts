import { open } from 'node:fs/promises'
import { CliError } from '../cli-error.ts'
import { EXIT } from '../exit-codes.ts'
import { isLocal } from './local.ts'

/** The largest repository that is fetched. */
const MOST_BYTES = 200 * 2 ** 20
const REDIRECTS = 5

/** What was fetched, and from where in the end. */
export interface Downloaded {
  readonly url: URL
  readonly bytes: number
}

/** @returns Null where there is nothing (404). @throws CliError for anything else that is no file */
export async function download(
  from: URL,
  file: string,
  signal: AbortSignal,
  most: number = MOST_BYTES,
): Promise<Downloaded | null> {
  const { url, response } = await follow(from, signal)
  if (response.status === 404) return null
  if (!response.ok || response.body === null) throw notFetched(url, `It answered with status ${response.status}.`)
  const handle = await open(file, 'wx')
  let bytes = 0
  try {
    for await (const chunk of response.body) {
      bytes += chunk.length
      if (bytes > most) throw notFetched(url, `It is larger than ${most} bytes.`)
      await handle.writeFile(chunk)
    }
  } catch (error) {
    if (error instanceof CliError || signal.aborted) throw error
    throw notFetched(url, reasonOf(error))
  } finally {
    await handle.close()
  }
  return { url, bytes }
}

/** By hand, as each hop has to be https, too; and nobody elsewhere makes this machine ask itself. */
async function follow(from: URL, signal: AbortSignal): Promise<{ url: URL; response: Response }> {
  let url = from
  for (let hop = 0; hop <= REDIRECTS; hop++) {
    requireSafe(url, hop === 0 || isLocal(from.hostname))
    const response = await fetch(url, { redirect: 'manual', signal }).catch((error: unknown) => {
      throw signal.aborted ? error : notFetched(url, reasonOf(error))
    })
    const to = response.headers.get('location')
    if (response.status < 300 || response.status >= 400 || to === null) return { url, response }
    await response.body?.cancel()
    url = new URL(to, url)
  }
  throw notFetched(from, `It leads on more than ${REDIRECTS} times.`)
}

/** @param home Whether this machine may be meant. */
function requireSafe(url: URL, home: boolean): void {
  const local = isLocal(url.hostname)
  if (local && !home) throw notFetched(url, 'Another machine refers to what only this one reaches.')
  if (url.protocol === 'https:' || (url.protocol === 'http:' && local)) return
  throw notFetched(url, 'Whoever is on the way could change what comes over http.', 'Give an https URL.')
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error && cause.message !== '' ? cause.message : message
}

/** A URL may have a secret in it: its origin says enough. */
const notFetched = (url: URL, why: string, fix = 'Check the URL, or fetch it yourself and name the file.'): CliError =>
  new CliError(EXIT.failed, `Nothing could be fetched from ${url.origin}.`, { why, fix })
