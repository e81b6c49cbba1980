import { type Socket, connect } from 'node:net'
import { connect as connectTls } from 'node:tls'

/**
 * A connection from this server to a public host, by way of the server's own HTTPS_PROXY where it has one (and NO_PROXY does not
 * name the host). The socket is connected and paused.
 */
export async function dial(host: string, port: number, env: NodeJS.ProcessEnv = process.env): Promise<Socket> {
  const proxy = proxyFor(host, env)
  if (!proxy) return await connected(connect({ host, port, allowHalfOpen: true }), 'connect')
  const at = {
    host: proxy.hostname.replace(/^\[|\]$/g, ''),
    port: Number(proxy.port || (proxy.protocol === 'https:' ? 443 : 80)),
  }
  const socket =
    proxy.protocol === 'https:'
      ? await connected(connectTls({ ...at, servername: at.host }), 'secureConnect')
      : await connected(connect(at), 'connect')
  const login = proxy.username ? `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}` : null
  const credentials = login ? `Proxy-Authorization: Basic ${Buffer.from(login).toString('base64')}\r\n` : ''
  socket.write(`CONNECT ${host}:${port} HTTP/1.1\r\nHost: ${host}:${port}\r\n${credentials}\r\n`)
  await answered(socket)
  return socket
}

const CONNECT_MS = 30_000

/** Null: straight. */
function proxyFor(host: string, env: NodeJS.ProcessEnv): URL | null {
  const url = env['HTTPS_PROXY'] || env['https_proxy'] || env['ALL_PROXY'] || env['all_proxy']
  const exempt = (env['NO_PROXY'] || env['no_proxy'] || '').split(',').map((one) => one.trim().replace(/^\*?\./, ''))
  if (!url || exempt.some((one) => one === '*' || (one !== '' && (host === one || host.endsWith(`.${one}`)))))
    return null
  return new URL(url.includes('://') ? url : `http://${url}`)
}

function connected(socket: Socket, event: 'connect' | 'secureConnect'): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => socket.destroy(new Error('It took too long to connect.')), CONNECT_MS)
    socket.once('close', () => clearTimeout(timer))
    socket.once('error', reject)
    socket.once(event, () => {
      clearTimeout(timer)
      socket.off('error', reject)
      resolve(socket)
    })
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
    const onClose = (): void => fail()
    const onData = (chunk: Buffer): void => {
      seen = Buffer.concat([seen, chunk])
      const end = seen.indexOf('\r\n\r\n')
      if (end === -1 && seen.length < 8192) return
      socket.pause()
      socket.off('data', onData).off('error', fail).off('close', onClose)
      if (!/^HTTP\/1\.[01] 200\b/.test(seen.toString('latin1', 0, 32)))
        return fail(new Error(`The proxy answered "${seen.toString('latin1', 0, 40).split('\r')[0]}".`))
      socket.unshift(seen.subarray(end + 4))
      resolve()
    }
    socket.on('data', onData).once('error', fail).once('close', onClose)
  })
}
