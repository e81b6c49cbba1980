import { once } from 'node:events'
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

/** What a model answers with: text, or the wish to use a tool. */
export type Block =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string; readonly input: unknown }

export interface MessagesRequest {
  readonly model: string
  readonly stream?: boolean
  readonly system?: unknown
  readonly tools?: readonly { readonly name: string; readonly description?: string; readonly input_schema: object }[]
  readonly messages: readonly { readonly role: string; readonly content: unknown }[]
}

export interface MessagesApi {
  readonly url: string
  /** All that was asked, in order. */
  readonly requests: MessagesRequest[]
  close(): Promise<void>
}

/**
 * Stands where the Messages API of Anthropic would: the same JSON and the same events on the wire, with a model that is a function. It refuses
 * what the real one refuses of conversations with tools: a use without its result, a result without its use, tools it was not told of.
 */
export async function startMessagesApi(model: (request: MessagesRequest) => readonly Block[]): Promise<MessagesApi> {
  const requests: MessagesRequest[] = []
  const server = createServer((incoming, outgoing) => {
    answer(incoming, outgoing, requests, model).catch((error: unknown) => {
      fail(outgoing, 500, 'api_error', String(error))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  requests: MessagesRequest[],
  model: (request: MessagesRequest) => readonly Block[],
): Promise<void> {
  const path = new URL(incoming.url!, 'http://x').pathname
  if (incoming.method !== 'POST' || path !== '/v1/messages') {
    if (path === '/v1/messages/count_tokens') return send(outgoing, { input_tokens: 100 })
    return fail(outgoing, 404, 'not_found_error', `Nothing is served at ${incoming.method} ${path}.`)
  }
  const request = (await json(incoming)) as MessagesRequest
  requests.push(request)
  const wrong = conversationFault(request)
  if (wrong !== null) return fail(outgoing, 400, 'invalid_request_error', wrong)
  const content = model(request)
  const used = content.some(({ type }) => type === 'tool_use')
  const message = {
    id: `msg_${requests.length}`,
    type: 'message',
    role: 'assistant',
    model: request.model,
    content,
    stop_reason: used ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 100, output_tokens: 20 },
  }
  if (request.stream === true) stream(outgoing, message)
  else send(outgoing, message)
}

/** What the real API refuses, in its order; null: nothing. */
function conversationFault({ tools = [], messages }: MessagesRequest): string | null {
  const names = new Set<string>()
  for (const { name } of tools) {
    if (!/^[a-zA-Z0-9_-]{1,128}$/.test(name)) return `tools: the name "${name}" is not allowed.`
    if (names.has(name)) return `tools: Tool names must be unique.`
    names.add(name)
  }
  for (const { input_schema } of tools) {
    if ((input_schema as { type?: string }).type !== 'object') return 'tools: input_schema.type must be "object".'
  }
  for (const [index, { role, content }] of messages.entries()) {
    if (role !== 'assistant' || !Array.isArray(content)) continue
    const used = idsOf(content, 'tool_use', 'id')
    const next = messages[index + 1]?.content
    const results = Array.isArray(next) ? idsOf(next, 'tool_result', 'tool_use_id') : []
    if (used.some((id) => !results.includes(id)) || results.some((id) => !used.includes(id))) {
      return `messages.${index}: each tool_use block must have a tool_result block in the next message, and the other way round.`
    }
  }
  return null
}

const idsOf = (content: readonly unknown[], type: string, key: string): string[] =>
  (content as Record<string, string>[]).filter((block) => block['type'] === type).map((block) => block[key]!)

/** The events of a streamed message, with a tool's input in pieces that are no JSON by themselves. */
function stream(
  outgoing: ServerResponse,
  message: { content: readonly Block[]; stop_reason: string; usage: object },
): void {
  outgoing.writeHead(200, { 'content-type': 'text/event-stream', 'request-id': 'req_stand_in' })
  const event = (data: { type: string; [member: string]: unknown }): void => {
    outgoing.write(`event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`)
  }
  event({ type: 'message_start', message: { ...message, content: [], stop_reason: null } })
  for (const [index, block] of message.content.entries()) {
    const empty = block.type === 'text' ? { ...block, text: '' } : { ...block, input: {} }
    event({ type: 'content_block_start', index, content_block: empty })
    const text = block.type === 'text' ? block.text : JSON.stringify(block.input)
    for (let at = 0; at < text.length; at += 7) {
      const piece = text.slice(at, at + 7)
      const delta =
        block.type === 'text' ? { type: 'text_delta', text: piece } : { type: 'input_json_delta', partial_json: piece }
      event({ type: 'content_block_delta', index, delta })
    }
    event({ type: 'content_block_stop', index })
  }
  event({
    type: 'message_delta',
    delta: { stop_reason: message.stop_reason, stop_sequence: null },
    usage: { output_tokens: 20 },
  })
  event({ type: 'message_stop' })
  outgoing.end()
}

function send(outgoing: ServerResponse, body: object, status: number = 200): void {
  outgoing.writeHead(status, { 'content-type': 'application/json', 'request-id': 'req_stand_in' })
  outgoing.end(JSON.stringify(body))
}

function fail(outgoing: ServerResponse, status: number, type: string, message: string): void {
  send(outgoing, { type: 'error', error: { type, message }, request_id: 'req_stand_in' }, status)
}
