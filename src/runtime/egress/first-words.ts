import type { Socket } from 'node:net'
import { type ClientHello, createHelloReader } from './client-hello.ts'
import { Refused } from './refused.ts'

/** What a client says before anything is passed on. */
export interface FirstWords {
  /** All that was read. The socket is paused after it. */
  readonly bytes: Buffer
  /** Null: it speaks something else than TLS, or ended. */
  readonly hello: ClientHello | null
}

/**
 * Reads until it is clear whether a client speaks TLS, and with whom.
 * @param options.tls Nothing else will do. Otherwise a client may also be silent for as long as it likes: many wait for the server's word.
 * @param options.timeoutMs From now on where nothing but TLS will do, else from its first byte.
 * @throws Refused server_name; the socket's error
 */
export function firstWords(
  client: Socket,
  { tls, timeoutMs }: { tls: boolean; timeoutMs: number },
): Promise<FirstWords> {
  const reader = createHelloReader()
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | null = null
    const onData = (chunk: Buffer): void => {
      const reading = reader.push(chunk)
      if (reading === 'more') startTimer()
      else if (reading === 'broken' || (reading === 'none' && tls)) end(refuse)
      else end(() => resolve({ bytes: reader.bytes(), hello: reading === 'none' ? null : reading }))
    }
    const onEnd = (): void => end(() => resolve({ bytes: reader.bytes(), hello: null }))
    const onClose = (): void => end(() => reject(client.errored ?? new Error('The connection was closed.')))
    const startTimer = (): void => void (timer ??= setTimeout(() => end(refuse), timeoutMs))
    const refuse = (): void => reject(new Refused('server_name'))
    function end(settle: () => void): void {
      client.pause()
      client.off('data', onData).off('end', onEnd).off('close', onClose)
      if (timer !== null) clearTimeout(timer)
      settle()
    }
    if (client.destroyed) return onClose()
    if (tls) startTimer()
    client.on('data', onData).once('end', onEnd).once('close', onClose)
    client.resume()
  })
}
