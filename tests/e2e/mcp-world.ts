import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { type Files, TestServer, python } from './harness.ts'

export type Era = 'modern' | 'legacy'

/** Both generations: stateless, and with the handshake of 2025. */
export const ERAS = ['modern', 'legacy'] as const satisfies Era[]

/** A client of that generation only. */
export async function connect(
  url: string,
  key: string,
  era: Era,
  options: { path?: string; tasks?: boolean; headers?: Record<string, string> } = {},
): Promise<Client> {
  const { path = '/mcp', tasks = false, headers = {} } = options
  const client = new Client(
    { name: 'test', version: '1.0.0' },
    {
      versionNegotiation: { mode: era === 'modern' ? { pin: '2026-07-28' } : 'legacy' },
      capabilities: tasks ? { extensions: { 'io.modelcontextprotocol/tasks': {} } } : {},
    },
  )
  const requestInit = { headers: { authorization: `Bearer ${key}`, ...headers } }
  await client.connect(new StreamableHTTPClientTransport(new URL(path, url), { requestInit }))
  return client
}

/** What the tests call and read. */
export async function deployWorld(server: TestServer): Promise<void> {
  await server.deploy('add', ADD, {}, 'prod')
  await server.deploy('shout', SHOUT, {}, 'prod')
  await server.deploy('fail', FAIL, {}, 'prod')
  await server.deploy('slow', SLOW, {}, 'prod')
  await server.deploy('release-notes', NOTES, {}, 'prod')
  await server.deploy('only-dev', python('only-dev', 'def handler(input):\n    return "dev"\n'), {}, 'dev')
}

const ADD = python('add', 'def handler(input):\n    return {"sum": input["a"] + input["b"]}\n', {
  input: {
    type: 'object',
    properties: { a: { type: 'number' }, b: { type: 'number' } },
    required: ['a', 'b'],
    additionalProperties: false,
  },
  output: { type: 'object', properties: { sum: { type: 'number' } }, required: ['sum'] },
})

/** Neither what it takes nor what it gives is an object. */
const SHOUT = python('shout', 'def handler(input):\n    return input.upper()\n', {
  input: { type: 'string', minLength: 1 },
  output: { type: 'string' },
})

const FAIL = python('fail', 'def handler(input):\n    raise ValueError("the moon is full")\n')

const SLOW = python(
  'slow',
  `import time

def handler(input):
    for step in range(input.get("steps", 3)):
        print("step", step, flush=True)
        time.sleep(input.get("pause", 0.05))
    return "slept"
`,
)

/** Awkward names, bytes that are no text, text that is not quite usual, and folders in folders. */
export const NOTES: Files = {
  'SKILL.md': `---
name: release-notes
description: Writes release notes. Use it when a release is cut.
license: Apache-2.0
metadata:
  team: docs
---
# Release notes

Read references/style guide.md first.
`,
  'references/style guide.md': '# Style\n\nShort — and plain.\n',
  'references/deep/er/ünïcode #1 (50%).txt': '\ufeffwith a mark of byte order\r\n',
  'assets/logo.png': Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0xff, 0xfe]),
  'scripts/run.py': 'print("hello")\n',
}
