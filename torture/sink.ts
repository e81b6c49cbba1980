import { once } from 'node:events'
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import type { Random } from './random.ts'

export interface Sink {
  readonly url: string
  /** By webhook-id: the run that each message told of. Only what was answered with 200. */
  readonly received: ReadonlyMap<string, { readonly type: string; readonly run: string | null }>
  /** What should not have come. */
  readonly complaints: string[]
  close(): void
}

/** Takes webhooks as a strict receiver would, and is now and then not well: only ever at a message's first attempt. */
export async function openSink(secret: string, random: Random): Promise<Sink> {
  const verifier = new Webhook(secret)
  const received = new Map<string, { type: string; run: string | null }>()
  const refused = new Set<string>()
  const complaints: string[] = []

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    const id = String(request.headers['webhook-id'])
    const at = new Date(Number(request.headers['webhook-timestamp']) * 1000)
    // The server's clock may be off by hours, so its time is taken as it is told; the signature holds for it.
    if (request.headers['webhook-signature'] !== verifier.sign(id, at, text)) throw new Error(`${id} is not signed`)
    if (!refused.has(id) && random.chance(0.1)) {
      refused.add(id)
      if (random.chance(0.5)) request.socket.destroy()
      else response.writeHead(500).end()
      return
    }
    const payload = JSON.parse(text) as { type: string; data: { run: string | null } }
    const told = { type: payload.type, run: payload.data.run }
    const before = received.get(id)
    if (before !== undefined && (before.run !== told.run || before.type !== told.type))
      complaints.push(`${id} told of ${before.type} ${before.run}, then of ${told.type} ${told.run}`)
    received.set(id, told)
    response.writeHead(200).end()
  }

  const server = createServer((request, response) => {
    take(request, response).catch((error: unknown) => {
      // A sender that was killed while it sent has told nothing.
      if (!request.complete) return
      complaints.push(String(error))
      response.writeHead(400).end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    complaints,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
