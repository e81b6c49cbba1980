import { type Socket, connect } from 'node:net'
import { connect as connectTls } from 'node:tls'

export interface DialOptions {
  /** Where HTTPS_PROXY and NO_PROXY are looked up. Default: the process's. */
  readonly env?: NodeJS.ProcessEnv
  /** Ends the attempt; a connection that was made is left alone. */
  readonly signal: AbortSignal
}

/**
 * A connection from this server to a host that its operator named, by way of the server's own HTTPS_PROXY where it has one (and
 * NO_PROXY does not name the host). The socket is connected, paused, and may be half open.
 * @throws the signal's reason; the socket's error; Error when the proxy refuses
 */
export async function dial(host: string, port: number, { env = process.env, signal }: DialOptions): Promise<Socket> {
  signal.throwIfAborted()
  const proxy = proxyFor(host, env)
  if (!proxy) return await attempt(connect({ host, port, allowHalfOpen: true, noDelay: true }), 'connect', signal)
  const at = {
    host: proxy.hostname.replace(/^\[|\]$/g, ''),
    port: Number(proxy.port || (proxy.protocol === 'https:' ? 443 : 80)),
    allowHalfOpen: true,
  }
  const login = proxy.username ? `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}` : null
  const credentials = login ? `Proxy-Authorization: Basic ${Buffer.from(login).toString('base64')}\r\n` : ''
  const question = `CONNECT ${host}:${port} HTTP/1.1\r\nHost: ${host}:${port}\r\n${credentials}\r\n`
  return proxy.protocol === 'https:'
    ? await attempt(connectTls({ ...at, servername: at.host }), 'secureConnect', signal, question)
    : await attempt(connect(at), 'connect', signal, question)
}

/** Whether the server's own proxy stands between it and a host. */
export const isProxied = (host: string, env: NodeJS.ProcessEnv = process.env): boolean => proxyFor(host, env) !== null

/** Null: straight. */
function proxyFor(host: string, env: NodeJS.ProcessEnv): URL | null {
  const url = env['HTTPS_PROXY'] || env['https_proxy'] || env['ALL_PROXY'] || env['all_proxy']
  const exempt = (env['NO_PROXY'] || env['no_proxy'] || '').split(',').map((one) => one.trim().replace(/^\*?\./, ''))
  if (!url || exempt.some((one) => one === '*' || (one !== '' && (host === one || host.endsWith(`.${one}`)))))
    return null
  return new URL(url.includes('://') ? url : `http://${url}`)
}

/** @param question To the proxy, which has to answer it with 200. */
async function attempt(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  signal: AbortSignal,
  question?: string,
): Promise<Socket> {
  const give = (): void => void socket.destroy(signal.reason as Error)
  signal.addEventListener('abort', give, { once: true })
  try {
    await connected(socket, event)
    if (question === undefined) return socket
    socket.write(question)
    await answered(socket)
    return socket
  } finally {
    signal.removeEventListener('abort', give)
  }
}

function connected(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    // Stays: an error that comes before somebody else listens must not end the process.
    socket.on('error', reject)
    socket.once(event, () => resolve())
  })
}

/** Waits for the proxy's "200", and leaves what follows it in the socket. */
function answered(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0)
    const fail = (error?: Error): void => {
      socket.destroy()
      reject(error ?? new Error('The proxy closed the connection.'))
    }
    const onEnd = (): void => fail()
    const onData = (chunk: Buffer): void => {
      seen = Buffer.concat([seen, chunk])
      const end = seen.indexOf('\r\n\r\n')
      if (end === -1 && seen.length < 8192) return
      socket.pause()
      socket.off('data', onData).off('error', fail).off('close', onEnd).off('end', onEnd)
      if (end === -1 || !/^HTTP\/1\.[01] 200\b/.test(seen.toString('latin1', 0, 32)))
        return fail(new Error(`The proxy answered "${seen.toString('latin1', 0, 40).split('\r')[0]}".`))
      socket.unshift(seen.subarray(end + 4))
      resolve()
    }
    socket.on('data', onData).once('error', fail).once('close', onEnd).once('end', onEnd)
  })
}
