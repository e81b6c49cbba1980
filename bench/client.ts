import { Agent, request } from 'node:http'

export interface Answer {
  readonly status: number
  readonly body: string
}

/** A small keep-alive client: `fetch` costs more than what is measured here. */
export function createClient(url: string, key: string, sockets: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: sockets })
  const base = new URL(url)

  function send(
    method: string,
    path: string,
    body?: string | Buffer,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const target = new URL(path, base)
    const call = request(
      target,
      {
        method,
        agent,
        headers: {
          authorization: `Bearer ${key}`,
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
          ...headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }))
        response.on('error', reject)
      },
    )
    call.on('error', reject)
    call.end(body)
    return promise
  }

  /** Sends JSON and reads JSON. @throws when the status is not the expected one. */
  async function json<T>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<T> {
    const answer = await send(method, path, body === undefined ? undefined : JSON.stringify(body), headers)
    if (answer.status >= 300) throw new Error(`${method} ${path} answered ${answer.status}: ${answer.body}`)
    return JSON.parse(answer.body === '' ? 'null' : answer.body) as T
  }

  return { send, json, close: () => agent.destroy() }
}

export type Client = ReturnType<typeof createClient>
