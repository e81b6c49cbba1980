import { z } from 'zod'
import { PageQuery, pageOf } from '../../http/pages.ts'
import { waitOf } from '../../http/preferences.ts'
import { type Route, route } from '../../http/route.ts'
import type { Services } from '../../http/services.ts'
import { fingerprintOf } from '../../http/fingerprint.ts'
import { SkilletError } from '../../model/errors.ts'
import { AnyObject } from '../../model/json.ts'
import { LIMITS } from '../../model/sizes.ts'
import { Name } from '../../model/skills.ts'
import { type ToolOutcome, outcomeOf, refusalOf } from '../run-outcome.ts'
import { type SkillTool, type SkillTools, createSkillTools } from '../skill-tools.ts'

/** As the `tools` of Claude's Messages API have it. */
const ClaudeTool = z
  .object({ name: z.string(), description: z.string(), input_schema: AnyObject })
  .meta({ id: 'ClaudeTool' })

/** What the model answers with when it wants a tool to be used, as it is. Members that we do not know are not looked at. */
const ToolUse = z
  .object({
    type: z.literal('tool_use'),
    id: z
      .string()
      .min(1)
      .max(200)
      .regex(/^[A-Za-z0-9_-]+$/),
    name: z.string().min(1).max(200),
    input: z.unknown().optional(),
  })
  .meta({ id: 'ToolUse' })

const ToolResult = z
  .object({
    type: z.literal('tool_result'),
    tool_use_id: z.string(),
    content: z.array(z.object({ type: z.literal('text'), text: z.string() })),
    is_error: z.boolean().optional(),
  })
  .meta({ id: 'ToolResult' })

/** How long a call waits for its run where nothing is said, in seconds. */
const WAIT_SECONDS = 60

/** Claude's tool use (seed 000): what skills there are as `tools`, and a `tool_use` block for a `tool_result` block. */
export function toolsRoutes(services: Services): Route[] {
  const tools = createSkillTools({ ...services, agents: services.skills.agents })
  return [
    route({
      id: 'listTools',
      tag: 'tools',
      method: 'GET',
      path: '/api/tools',
      access: 'runs.invoke',
      summary: 'List the skills that the caller may invoke, as tools of the Claude Messages API',
      query: PageQuery.extend({ stage: Name.optional().meta({ description: 'Default prod.' }) }),
      responses: { 200: { description: 'One page: put its items into `tools`.', schema: pageOf(ClaudeTool) } },
      errors: [],
      async handle({ caller, coverage, query }) {
        const { items, next } = await tools.list(caller, coverage, query)
        return { status: 200, body: { items: items.map(toClaudeTool), next } }
      },
    }),
    route({
      id: 'callTool',
      tag: 'tools',
      method: 'POST',
      path: '/api/tools/call',
      access: 'runs.invoke',
      summary: 'Run a `tool_use` block, and answer with its `tool_result`',
      description:
        'What goes wrong with the call itself is a result with `is_error`, for the model to mend: an unknown tool, a wrong input, a failure of ' +
        'the skill. A repeat of the same block, by its `id`, is the run of the first time.',
      query: z.strictObject({ stage: Name.optional().meta({ description: 'Default prod.' }) }),
      maxBytes: LIMITS.requestBytes,
      body: ToolUse,
      headers: {
        Prefer: `wait=SECONDS: for how long to wait for the run. Default ${WAIT_SECONDS}, at most ${LIMITS.waitSeconds}.`,
      },
      responses: { 200: { description: 'The result, also of a failure.', schema: ToolResult } },
      errors: ['enqueue_failed', 'isolation_unavailable'],
      async handle({ caller, query: { stage }, body, text, header, signal }) {
        const seconds = waitOf(header('prefer')) ?? WAIT_SECONDS
        const input = body.input ?? {}
        const fingerprint = await fingerprintOf(['tool', stage ?? '', body.name], text, input)
        const idempotency = { key: `tool_use:${body.id}`, fingerprint }
        const call = { name: body.name, input, stage, idempotency, route: { method: 'POST', path: '/api/tools/call' } }
        const outcome = await run(tools, services, caller, call, seconds, signal())
        return { status: 200, body: toToolResult(body.id, outcome) }
      },
    }),
  ]
}

async function run(
  tools: SkillTools,
  { runs }: Pick<Services, 'runs'>,
  caller: Parameters<SkillTools['begin']>[0],
  call: Parameters<SkillTools['begin']>[1],
  seconds: number,
  signal: AbortSignal,
): Promise<ToolOutcome> {
  try {
    const begun = await tools.begin(caller, call)
    return outcomeOf(await runs.wait(begun, seconds * 1000, signal))
  } catch (error) {
    if (!(error instanceof SkilletError) || !FOR_THE_MODEL.has(error.code)) throw error
    if (error.code !== 'idempotency_mismatch') return refusalOf(error)
    // Its own words are about a header, which nobody sent.
    return refusalOf(
      new SkilletError(error.code, 'A call with this id asked for something else: each call needs its own id.'),
    )
  }
}

/** What a model can mend; all else is for whoever runs it. */
const FOR_THE_MODEL: ReadonlySet<string> = new Set([
  'not_found',
  'input_invalid',
  'input_too_large',
  'validation_timeout',
  'idempotency_mismatch',
])

const toClaudeTool = ({ name, description, deployment }: SkillTool): z.infer<typeof ClaudeTool> => ({
  name,
  description,
  input_schema: { ...deployment.input_schema, type: 'object' },
})

function toToolResult(id: string, { failed, text }: ToolOutcome): z.infer<typeof ToolResult> {
  const content = [{ type: 'text' as const, text }]
  return { type: 'tool_result', tool_use_id: id, content, ...(failed && { is_error: true }) }
}
