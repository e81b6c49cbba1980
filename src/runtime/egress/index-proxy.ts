import { randomBytes } from 'node:crypto'
import { chmod, rm } from 'node:fs/promises'
import { type Server, type Socket, createServer } from 'node:net'
import { join } from 'node:path'
import { dial } from '../../net/dial.ts'

export interface IndexProxyOptions {
  /** Where the unix socket is made. */
  readonly folder: string
  /** The only names that may be reached, on port 443: exact, without wildcards. */
  readonly hosts: ReadonlySet<string>
  /** Most that may come in and go out, together. Default: 2 GB. */
  readonly maxBytes?: number
  /** At the same time. Default: 64. */
  readonly maxConnections?: number
}

/** A way out for one build. */
export interface IndexProxy {
  /** The unix socket. */
  readonly path: string
  /** What was asked for and refused, each once, at most 20. */
  denied(): string[]
  /** Ends all connections and removes the socket. May be called twice. */
  close(): Promise<void>
}

/**
 * An HTTP proxy that knows CONNECT and nothing else, on a unix socket: the only way out of a build's sandbox. It passes TLS through
 * unread, to the hosts that are listed; names are resolved here and not inside.
 */
export async function openIndexProxy(options: IndexProxyOptions): Promise<IndexProxy> {
  const path = join(options.folder, `egress-${randomBytes(8).toString('hex')}.sock`)
  const denied = new Set<string>()
  const open = new Set<Socket>()
  let left = options.maxBytes ?? 2 * 2 ** 30
  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (open.size >= 2 * (options.maxConnections ?? 64)) {
      client.destroy()
      return
    }
    track(client)
    readHead(client, (head, rest) => {
      const target = /^CONNECT ([^\s:]{1,253}):(\d{1,5}) HTTP\/1\.[01]\r\n/.exec(head)
      const host = target?.[1]?.toLowerCase()
      if (!host || target?.[2] !== '443' || !options.hosts.has(host)) {
        if (denied.size < 20) denied.add(target ? `${host}:${target[2]}` : 'something other than an https address')
        client.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
        return
      }
      dial(host, 443).then(
        (remote) => {
          track(remote)
          client.write('HTTP/1.1 200 Connection established\r\n\r\n')
          if (rest.length > 0) remote.write(rest)
          join2(client, remote)
        },
        () => client.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'),
      )
    })
  })
  const track = (socket: Socket): void => {
    open.add(socket)
    socket.setTimeout(IDLE_MS, () => socket.destroy())
    socket.on('error', () => socket.destroy())
    socket.once('close', () => open.delete(socket))
  }
  const join2 = (client: Socket, remote: Socket): void => {
    if (client.destroyed) remote.destroy()
    for (const [from, to] of [
      [client, remote],
      [remote, client],
    ] as const) {
      from.on('data', (chunk: Buffer) => {
        left -= chunk.length
        if (left < 0) for (const socket of open) socket.destroy()
      })
      from.once('close', () => to.destroy())
      from.pipe(to)
    }
  }
  await listen(server, path)
  return {
    path,
    denied: () => [...denied],
    async close() {
      for (const socket of open) socket.destroy()
      if (server.listening) await new Promise((done) => server.close(done))
      await rm(path, { force: true })
    },
  }
}

const IDLE_MS = 60_000
const HEAD_BYTES = 8192

function readHead(client: Socket, then: (head: string, rest: Buffer) => void): void {
  let seen = Buffer.alloc(0)
  const onData = (chunk: Buffer): void => {
    seen = Buffer.concat([seen, chunk])
    const end = seen.indexOf('\r\n\r\n')
    if (end === -1 && seen.length <= HEAD_BYTES) return
    client.off('data', onData)
    client.pause()
    if (end === -1) client.destroy()
    else then(seen.toString('latin1', 0, end + 2), seen.subarray(end + 4))
  }
  client.on('data', onData)
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => resolve())
  })
  // The folder keeps others out; whom it lets in is for the driver to say.
  await chmod(path, 0o600)
}
