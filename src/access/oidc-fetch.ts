/** What an issuer answers is read up to this many bytes: hundreds of keys. */
const MOST_BYTES = 262_144
/** How long an issuer may take for one answer, in milliseconds. */
const TIMEOUT_MS = 5000

/**
 * A JSON document from that very place: redirects are not followed.
 * @throws Error that says what was wrong, for people.
 */
export async function fetchJson(url: URL, timeoutMs: number = TIMEOUT_MS): Promise<unknown> {
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    const response = await fetch(url, { redirect: 'manual', headers: { accept: 'application/json' }, signal })
    try {
      if (response.status !== 200) throw new Error(`it answered with the status ${response.status}`)
      return JSON.parse(await textOf(response)) as unknown
    } finally {
      // What was not read is not waited for; where all was read there is nothing to give up.
      if (response.body?.locked === false) await response.body.cancel()
    }
  } catch (error) {
    throw new Error(`GET ${url.href}: ${signal.aborted ? `no answer in ${timeoutMs} ms` : reasonOf(error)}`, {
      cause: error,
    })
  }
}

async function textOf({ body }: Response): Promise<string> {
  if (body === null) throw new Error('its answer is empty')
  const chunks: Uint8Array[] = []
  let size = 0
  // Leaving the loop ends the connection.
  for await (const chunk of body) {
    size += chunk.byteLength
    if (size > MOST_BYTES) throw new Error(`its answer is larger than ${MOST_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** fetch says only "fetch failed", and the reason in the cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  if (error instanceof SyntaxError) return 'its answer is no JSON'
  return cause instanceof Error && cause.message !== '' ? cause.message : message
}
