import {
  type McpHttpHandler,
  type McpRequestContext,
  type McpServer,
  ProtocolErrorCode,
  createMcpHandler,
} from '@modelcontextprotocol/server'
import type { Services } from '../../http/services.ts'
import { createSkillTools } from '../skill-tools.ts'
import { serverFor } from './server.ts'
import type { Visit } from './visit.ts'

/** Answers a message as the official server does. */
export type Answerer = (request: Request, visit: Visit) => Promise<Response>

/** Both generations of the protocol, without sessions: each message is answered by a server of its own. */
export function createAnswerer(services: Services): Answerer {
  const tools = createSkillTools({ ...services, agents: services.skills.agents })
  async function open(context: McpRequestContext): Promise<McpServer> {
    const visit = context.authInfo!.extra!['visit'] as Visit
    try {
      return await serverFor(services, tools, visit, context)
    } catch (error) {
      // The official server answers with no more than that something went wrong.
      visit.fault(error)
      throw error
    }
  }
  const make = (responseMode: 'auto' | 'sse'): McpHttpHandler =>
    createMcpHandler((context) => open(context), {
      legacy: 'stateless',
      responseMode,
      // Tenants are counted where they come in: one of them may not use up what all have.
      maxSubscriptions: Number.MAX_SAFE_INTEGER,
    })
  const answers = make('auto')
  // Its stream is kept alive while a run takes its time.
  const streams = make('sse')

  return async (request, visit) => {
    const handler = visit.message['method'] === 'tools/call' ? streams : answers
    // The credential itself is none of what the official server needs to know.
    const authInfo = { token: '', clientId: visit.caller.id, scopes: [], extra: { visit } }
    return asBadRequest(await handler.fetch(request, { parsedBody: visit.message, authInfo }), visit)
  }
}

/** A client that lacks a capability made a bad request: the official server says so only of methods of its own. */
async function asBadRequest(response: Response, { message }: Visit): Promise<Response> {
  // Older clients are answered with a stream, and have no tasks.
  const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false
  if (!isJson || response.status !== 200 || !String(message['method']).startsWith('tasks/')) return response
  const text = await response.text()
  const { error } = JSON.parse(text) as { error?: { code: number } }
  const status = error?.code === ProtocolErrorCode.MissingRequiredClientCapability ? 400 : 200
  return new Response(text, { status, headers: response.headers })
}
