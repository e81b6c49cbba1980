import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { text } from 'node:stream/consumers'
import { problemError, unreachable } from './http.ts'

/**
 * Streams a file to a URL with its length announced, which `fetch` cannot do with a stream.
 * @param options.onSent Told how many bytes have gone out so far.
 * @throws CliError when the server is not there or refuses
 */
export async function putFile(
  url: URL,
  headers: Readonly<Record<string, string>>,
  file: string,
  options: { onSent: (bytes: number) => void; signal?: AbortSignal | undefined },
): Promise<void> {
  const { size } = await stat(file)
  // Loaded here: with them comes all of fetch, a third of what a command or a server takes to begin.
  const { request: begin } = await (url.protocol === 'https:' ? import('node:https') : import('node:http'))
  const request = begin(url, {
    method: 'PUT',
    headers: { ...headers, 'content-length': size },
    ...(options.signal && { signal: options.signal }),
  })
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  request.on('response', resolve)
  request.on('error', reject)
  let sent = 0
  const source = createReadStream(file)
  source.on('data', (chunk) => options.onSent((sent += chunk.length)))
  // A server that refuses may answer and hang up before all was sent: its answer says more than the broken pipe.
  pipeline(source, request).catch(reject)
  try {
    const response = await promise
    const body = await text(response)
    const status = response.statusCode ?? 0
    if (status >= 300) throw problemError(status, parse(body))
  } catch (error) {
    if (options.signal?.aborted === true || !(error instanceof Error) || !('code' in error)) throw error
    throw unreachable(url.href, error)
  } finally {
    source.destroy()
    request.destroy()
  }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return body
  }
}
