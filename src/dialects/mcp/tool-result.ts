import type { CallToolResult } from '@modelcontextprotocol/server'
import type { SkilletError } from '../../model/errors.ts'
import type { Run } from '../../model/runs.ts'
import { type ToolOutcome, outcomeOf, refusalOf } from '../run-outcome.ts'
import { META } from './skill-meta.ts'

/** What came of a run, for the model (text) and for programs (structured); where it can be looked at besides. */
export function resultOf(run: Run): CallToolResult {
  return {
    ...shown(outcomeOf(run)),
    _meta: {
      [`${META}/run`]: run.id,
      ...(run.version !== null && { [`${META}/version`]: run.version }),
      ...(run.reason !== null && { [`${META}/reason`]: run.reason }),
    },
  }
}

/** A call that began no run: a wrong input, say, which the model can mend. */
export const refusedResult = (error: SkilletError): CallToolResult => ({
  ...shown(refusalOf(error)),
  _meta: { [`${META}/reason`]: error.code },
})

function shown({ failed, text, value }: ToolOutcome): CallToolResult {
  const content = [{ type: 'text' as const, text }]
  return failed ? { content, isError: true } : { content, structuredContent: value }
}
