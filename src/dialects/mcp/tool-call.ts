import type { CallToolResult, JSONRPCRequest, McpServer, ServerContext } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { fingerprintOf } from '../../http/fingerprint.ts'
import { hungUp } from '../../http/interruption.ts'
import { idempotencyKeyOf } from '../../http/preferences.ts'
import type { Services } from '../../http/services.ts'
import { SkilletError } from '../../model/errors.ts'
import { jsonText } from '../../model/written-json.ts'
import { type Run, isTerminal } from '../../model/runs.ts'
import { LIMITS, SIZES } from '../../model/sizes.ts'
import { AGENT_STAGE } from '../../model/skills.ts'
import type { SkillTool, SkillTools } from '../skill-tools.ts'
import { requireProgressToken, tellProgress } from './progress.ts'
import { invalid, told } from './rpc-error.ts'
import { META } from './skill-meta.ts'
import { type Task, takesTasks, taskMethods } from './tasks.ts'
import { refusedResult, resultOf } from './tool-result.ts'
import { inputOf } from './tool-shape.ts'
import type { Visit } from './visit.ts'

/** How long a client that can take a task waits for the result itself, in milliseconds. */
const PATIENCE_MS = 10_000

const CallParams = z.looseObject({ name: z.string(), arguments: z.record(z.string(), z.unknown()).optional() })

/**
 * `tools/call`: begins a run as an invocation does, and answers with what came of it.
 * @param about.tool Null: the tenant has none of that name. @param about.open Whether the caller may use it. If not, it is refused when the
 * run is begun, and up to then and in its words nothing differs from a tool that there is not.
 */
export function toolCall(
  services: Services,
  tools: SkillTools,
  visit: Visit,
  { tool, open, mcp }: { tool: SkillTool | null; open: boolean; mcp: McpServer },
): (request: JSONRPCRequest, context: ServerContext) => Promise<CallToolResult | Task> {
  const { runs } = services
  const { caller, stage = AGENT_STAGE } = visit
  const { tenant } = caller

  async function begin(given: Readonly<Record<string, unknown>>, key: string | null): Promise<Run> {
    const name = tool!.name
    const input = inputOf(tool!.deployment.input_schema, given)
    const fingerprint = async (): Promise<string> => fingerprintOf([name, stage], jsonText(input), input)
    const idempotency = key === null ? undefined : { key, fingerprint: await fingerprint() }
    return tools.begin(caller, { name, input, stage, idempotency, route: visit.route })
  }

  /** The run when it is over, or when nobody waits for it any longer. */
  async function attend(run: Run, context: ServerContext, patienceMs: number): Promise<Run> {
    const { signal } = context.mcpReq
    const left = AbortSignal.any([signal, visit.signal, visit.cancelled])
    const until = patienceMs === Infinity ? left : AbortSignal.any([left, AbortSignal.timeout(patienceMs)])
    if (await tellProgress(runs, run, context, until)) return runs.find(tenant, run.id)
    let seen = run
    while (!isTerminal(seen.status) && !until.aborted) {
      seen = await runs.wait(seen, LIMITS.waitSeconds * 1000, until)
    }
    return seen
  }

  /** Whether the client does not want the result any more: that the server stops is none of its doing. */
  const unwanted = ({ mcpReq }: ServerContext): boolean => {
    if (visit.cancelled.aborted || hungUp(visit.signal)) return true
    return mcpReq.signal.aborted && !visit.signal.aborted
  }

  return (request, context) =>
    told(visit, async () => {
      const params = CallParams.safeParse(request.params)
      if (!params.success) throw invalid('tools/call takes {"name": "...", "arguments": {...}}.')
      const { name } = params.data
      const given = visit.aside ?? params.data.arguments ?? {}
      const missing = invalid(`There is no tool named "${name.slice(0, 100)}".`)
      const key = visit.idempotencyKey ?? keyOf(context)
      requireProgressToken(context)
      if (tool === null) throw missing
      if (open && visit.aside !== null && repeatsInHeaders(tool.deployment.input_schema)) {
        throw invalid('The arguments are too many to be compared with what headers repeat of them.')
      }
      let begun: Run
      try {
        begun = await begin(given, key)
      } catch (error) {
        if (!(error instanceof SkilletError)) throw error
        if (error.code === 'not_found') throw missing
        return mcp.server.projectCallToolResult(refusedResult(error), undefined)
      }
      const taskable = takesTasks(context)
      const { size } = tool.deployment.config
      const long = SIZES[size].queue === 'long'
      const run = await attend(begun, context, taskable ? (long ? 0 : PATIENCE_MS) : Infinity)
      if (isTerminal(run.status)) {
        return mcp.server.projectCallToolResult(resultOf(run), tool.deployment.output_schema ?? undefined)
      }
      // Who sends a key means to come back for the run.
      if (unwanted(context) && key === null) {
        await runs.cancel(caller, run.id)
        return CANCELLED
      }
      return taskable ? taskMethods(services, visit).handle(run) : resultOf(run)
    })
}

/** Hardly anybody reads it. */
const CANCELLED: CallToolResult = { content: [{ type: 'text', text: 'The call was cancelled.' }], isError: true }

/** Such arguments were not looked at by the official server, which compares them. */
const repeatsInHeaders = (schema: Readonly<Record<string, unknown>>): boolean =>
  JSON.stringify(schema).includes('"x-mcp-header"')

/** Clients that cannot send headers of their own can still say which call is a repeat. */
function keyOf({ mcpReq }: ServerContext): string | null {
  const key = mcpReq._meta?.[`${META}/idempotency-key`]
  if (key === undefined) return null
  if (typeof key !== 'string') throw invalid(`_meta["${META}/idempotency-key"] is not a text.`)
  return idempotencyKeyOf(key)
}
