import { once } from 'node:events'
import { type Socket, connect } from 'node:net'
import type { Answer } from './client.ts'

/** One connection that asks one thing after another, with next to no work of its own: it shares the processors with what is measured. */
export interface Line {
  ask(request: string): Promise<Answer>
  close(): void
}

/** @param url `http://host:port` */
export async function openLine(url: string): Promise<Line> {
  const { hostname, port } = new URL(url)
  const socket: Socket = connect(Number(port), hostname)
  socket.setNoDelay(true)
  await once(socket, 'connect')
  let chunks: Buffer[] = []
  let waiting: PromiseWithResolvers<Answer> | null = null
  const lost = (error: Error): void => {
    waiting?.reject(error)
    waiting = null
  }
  socket.on('error', lost)
  socket.on('close', () => lost(new Error('The server hung up.')))
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    const answer = answerIn(chunks.length === 1 ? chunk : Buffer.concat(chunks))
    if (answer === null) return
    chunks = []
    waiting?.resolve(answer)
    waiting = null
  })
  return {
    ask(request) {
      waiting = Promise.withResolvers()
      socket.write(request)
      return waiting.promise
    },
    close: () => socket.destroy(),
  }
}

/** A POST of JSON, as text. */
export function requestText(url: string, key: string, path: string, body: string, headers: Record<string, string>) {
  const all = {
    host: new URL(url).host,
    authorization: `Bearer ${key}`,
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}

/** Null while it is not all there. Answers of the invocations that are measured have a length. */
function answerIn(bytes: Buffer): Answer | null {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return null
  const head = bytes.toString('latin1', 0, end)
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1])
  if (Number.isNaN(length)) throw new Error(`An answer has no length: ${head}`)
  if (bytes.length < end + 4 + length) return null
  return { status: Number(head.slice(9, 12)), body: bytes.toString('utf8', end + 4, end + 4 + length) }
}
