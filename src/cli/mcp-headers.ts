/** A JSON-RPC message as it passes through; nothing of it is sure. */
export interface Message {
  readonly id?: unknown
  readonly method?: unknown
  readonly params?: unknown
}

/** What the transport over HTTP wants to be said in headers besides the message, and a pipe does not know. */
export interface McpHeaders {
  of(message: Message): Record<string, string>
  /** Remembers what answers tell: the revision of a handshake, and arguments of tools that are headers, too. */
  learn(request: Message, result: unknown): void
}

const VERSION = 'io.modelcontextprotocol/protocolVersion'

export function createMcpHeaders(): McpHeaders {
  /** Of the generation with a handshake. */
  let agreed: string | undefined
  const declared = new Map<string, readonly Declared[]>()

  return {
    of({ method, params }) {
      const stateless = textAt(params, '_meta', VERSION)
      const version = stateless ?? (method === 'initialize' ? undefined : agreed)
      const headers: Record<string, string> = version === undefined ? {} : { 'mcp-protocol-version': version }
      if (stateless === undefined || typeof method !== 'string') return headers
      headers['mcp-method'] = encoded(method)
      const named = NAMED[method]
      const name = named === undefined ? undefined : textAt(params, named)
      if (name === undefined) return headers
      headers['mcp-name'] = encoded(name)
      for (const { path, header } of method === 'tools/call' ? (declared.get(name) ?? []) : []) {
        const value = valueAt(params, ['arguments', ...path])
        if (value !== undefined && value !== null) headers[`mcp-param-${header}`] = encoded(plainText(value))
      }
      return headers
    },

    learn({ method }, result) {
      if (method === 'initialize') agreed = textAt(result, 'protocolVersion') ?? agreed
      if (method !== 'tools/list') return
      for (const tool of arrayAt(result, 'tools')) {
        const name = textAt(tool, 'name')
        if (name !== undefined) declared.set(name, declaredIn(valueAt(tool, ['inputSchema']), []))
      }
    },
  }
}

/** An argument whose value a header repeats. */
interface Declared {
  readonly path: readonly string[]
  readonly header: string
}

/** Which parameter the header of names repeats. */
const NAMED: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
}

function declaredIn(schema: unknown, path: readonly string[]): Declared[] {
  const header = textAt(schema, 'x-mcp-header')
  const properties = valueAt(schema, ['properties'])
  const own = header === undefined || !/^[\w!#$%&'*+.^`|~-]+$/.test(header) ? [] : [{ path, header }]
  if (typeof properties !== 'object' || properties === null) return own
  return [...own, ...Object.entries(properties).flatMap(([name, one]) => declaredIn(one, [...path, name]))]
}

/** What is no plain visible text travels in base64. */
function encoded(value: string): string {
  const plain = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/.test(value) && !/^=\?base64\?.*\?=$/.test(value)
  return plain ? value : `=?base64?${Buffer.from(value).toString('base64')}?=`
}

const plainText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

function valueAt(value: unknown, path: readonly string[]): unknown {
  let at = value
  for (const name of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined
    at = (at as Record<string, unknown>)[name]
  }
  return at
}

function textAt(value: unknown, ...path: string[]): string | undefined {
  const found = valueAt(value, path)
  return typeof found === 'string' ? found : undefined
}

function arrayAt(value: unknown, name: string): unknown[] {
  const found = valueAt(value, [name])
  return Array.isArray(found) ? found : []
}
