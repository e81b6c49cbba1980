import type { ServerContext } from '@modelcontextprotocol/server'
import type { RunsService } from '../../runs/service.ts'
import type { LogLine, RunEvent } from '../../model/runs.ts'
import { invalid } from './rpc-error.ts'

/** Longest message of a notification, in characters. */
const SHOWN = 1000
/** Longest token, in characters: each notification repeats it, and holds it for a client that does not read. */
const TOKEN = 1000

/** @throws ProtocolError */
export function requireProgressToken({ mcpReq }: ServerContext): void {
  const token = mcpReq._meta?.progressToken
  if (typeof token !== 'string' || token.length <= TOKEN) return
  throw invalid(`The progress token has ${token.length} characters; at most ${TOKEN} are taken.`)
}

/** Tells the client what happens in a run, until that is over or the signal aborts. @returns Whether it asked for that. */
export async function tellProgress(
  runs: Pick<RunsService, 'events'>,
  run: { readonly tenant: string; readonly id: string },
  { mcpReq }: ServerContext,
  signal: AbortSignal,
): Promise<boolean> {
  const progressToken = mcpReq._meta?.progressToken
  if (progressToken === undefined) return false
  let progress = 0
  for await (const event of runs.events(run.tenant, run.id, 0, signal)) {
    const message = messageOf(event)
    if (message === null || signal.aborted) continue
    await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: ++progress, message } })
  }
  return true
}

function messageOf({ type, data }: RunEvent): string | null {
  if (type === 'status') return (data as { status: string }).status
  if (type === 'result') return null
  const text = (data as { lines: LogLine[] }).lines.map((line) => line.text).join('\n')
  return text.length <= SHOWN ? text : `…${text.slice(-SHOWN).toWellFormed()}`
}
