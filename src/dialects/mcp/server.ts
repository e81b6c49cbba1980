import { type McpRequestContext, McpServer, ResourceNotFoundError } from '@modelcontextprotocol/server'
import { SkillsExtension } from '@modelcontextprotocol/server/ext/skills'
import type { Services } from '../../http/services.ts'
import { type Coverage, covers } from '../../model/coverage.ts'
import { SkilletError } from '../../model/errors.ts'
import type { SkillTool, SkillTools } from '../skill-tools.ts'
import { INDEX_URI } from './index-json.ts'
import { openLibrary } from './library.ts'
import { pageOfKept } from './pages.ts'
import { told } from './rpc-error.ts'
import { skillSource } from './skill-source.ts'
import { TASKS, TaskParams, taskMethods } from './tasks.ts'
import { toolCall } from './tool-call.ts'
import { inputSchemaOf, toolOf } from './tool-shape.ts'
import type { Visit } from './visit.ts'

const INSTRUCTIONS =
  'Each tool runs a skill in a sandbox and answers with its result. Skills with instructions are listed by skills/list, and as resources ' +
  'skill://<tenant>/<skill>/SKILL.md; read one before you do what it is about.'

/** Nothing that is listed is anybody else's, and a deploy may change it at any moment: it is kept for seconds. */
const CACHE = { ttlMs: 10_000, cacheScope: 'private' } as const

/** The server that answers one message: what its sender may see is all that there is. */
export async function serverFor(
  services: Services,
  tools: SkillTools,
  visit: Visit,
  { era }: Pick<McpRequestContext, 'era'>,
): Promise<McpServer> {
  const mcp = new McpServer(
    { name: 'skillet', title: 'Skillet', version: services.site.version },
    {
      instructions: INSTRUCTIONS,
      capabilities: {
        tools: {},
        prompts: {},
        resources: {},
        ...(era === 'modern' && { extensions: { [TASKS]: {} } }),
      },
      cacheHints: {
        'tools/list': CACHE,
        'prompts/list': CACHE,
        'resources/list': CACHE,
        'resources/read': CACHE,
        'resources/templates/list': CACHE,
        'server/discover': CACHE,
      },
    },
  )
  const library = openLibrary(services, visit)
  const source = skillSource(services.files, library, visit)
  new SkillsExtension({ source, cacheHint: CACHE, onWarning: warn(visit) }).attach(mcp)
  const { server } = mcp

  // The extension lists resources without pages.
  server.setRequestHandler('resources/list', ({ params }) =>
    told(visit, async () => {
      const { items, ...page } = await library.list(params?.cursor)
      const resources = items.map(async (entry) => ({
        uri: await library.uriOf(entry),
        name: entry.name,
        ...(entry.display_name !== null && { title: entry.display_name }),
        description: entry.description,
        mimeType: 'text/markdown',
        ...(entry.skill_md !== null && { size: entry.skill_md.size }),
      }))
      const index = { uri: INDEX_URI, name: 'index.json', description: 'All skills.', mimeType: 'application/json' }
      const first = params?.cursor === undefined ? [index] : []
      return { resources: [...first, ...(await Promise.all(resources))], ...page }
    }),
  )
  // The extension takes seconds to write a large file as base64, while everybody waits.
  server.setRequestHandler('resources/read', async ({ params: { uri } }, context) => {
    const read = await source.read(uri, context)
    if (read === undefined) throw new ResourceNotFoundError(uri)
    const type = read.mimeType === undefined ? {} : { mimeType: read.mimeType }
    const content = 'text' in read ? { text: read.text } : { blob: Buffer.from(read.bytes).toString('base64') }
    return { contents: [{ uri, ...type, ...content }] }
  })
  // There are none: for clients that ask for everything that a server may have.
  server.setRequestHandler('prompts/list', () => ({ prompts: [] }))
  server.setRequestHandler('tools/list', ({ params }) =>
    told(visit, async () => {
      const coverage = await invokable(services, visit)
      if (coverage === undefined) return { tools: [] }
      const { stage } = visit
      const { items, ...page } = await pageOfKept(
        (limit, cursor) =>
          tools.list(visit.caller, coverage, {
            limit,
            stage,
            functions: true,
            ...(cursor !== undefined && { cursor }),
          }),
        () => true,
        params?.cursor,
      )
      return { tools: items.map(toolOf), ...page }
    }),
  )
  if (visit.message['method'] === 'tools/call') {
    const tool = await toolFor(services, visit)
    const open = tool !== null && covers((await invokable(services, visit)) ?? null, tool.entry.skill, tool.entry.stage)
    // What schemas want repeated in headers is compared by the official server.
    if (open) mcp.toolInputSchemaJson = () => inputSchemaOf(tool.deployment.input_schema)
    // Not as a handler of that method: the results of those may only be results, and no tasks.
    server.removeRequestHandler('tools/call')
    server.fallbackRequestHandler = toolCall(services, tools, visit, { tool, open, mcp })
  }
  if (era === 'modern') {
    const tasks = taskMethods(services, visit)
    server.setRequestHandler('tasks/get', { params: TaskParams }, tasks.get)
    server.setRequestHandler('tasks/update', { params: TaskParams }, tasks.update)
    server.setRequestHandler('tasks/cancel', { params: TaskParams }, tasks.cancel)
  }
  return mcp
}

/** What of the skills the caller may invoke; undefined: its role invokes nothing. */
async function invokable({ authorizer }: Services, { caller }: Visit): Promise<Coverage | null | undefined> {
  try {
    return await authorizer.authorize(caller, 'runs.invoke', {})
  } catch (error) {
    if (error instanceof SkilletError && error.code === 'forbidden') return undefined
    throw error
  }
}

/** The tool that is called, of all that the tenant has: who may not use it is refused when the run is begun. */
async function toolFor({ skills: { agents } }: Services, { caller, stage, message }: Visit): Promise<SkillTool | null> {
  const params = message['params'] as { name?: unknown } | undefined
  // Some hosts know no hyphens in names of tools; no skill has an underscore in its own.
  const name = typeof params?.name === 'string' ? params.name.replaceAll('_', '-') : ''
  try {
    const entry = await agents.find({ tenant: caller.tenant, coverage: null, stage }, name)
    if (entry.tenant !== caller.tenant || entry.name !== name || entry.kind === 'skill-md') return null
    return { name, description: entry.description, entry, deployment: await agents.deployment(entry) }
  } catch (error) {
    if (error instanceof SkilletError && error.code === 'not_found') return null
    throw error
  }
}

/** What the extension drops was ours to get right. */
const warn =
  ({ fault }: Visit) =>
  ({ path, message }: { path: string; message: string }): void =>
    fault(new Error(`${path}: ${message}`))
