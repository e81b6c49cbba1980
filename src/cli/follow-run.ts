import type { LogLine, RunStatus } from '../model/runs.ts'
import { readEventStream } from './event-stream.ts'

export type RunStreamEvent = { readonly seq: number; readonly at: string } & (
  | { readonly type: 'status'; readonly data: { readonly status: RunStatus; readonly reason?: string | null } }
  | { readonly type: 'log'; readonly data: { readonly lines: LogLine[] } }
  | { readonly type: 'result'; readonly data: unknown }
)

/** A run's events from the first to the result. @throws CliError when the server refuses, or stays away */
export async function* followRun(url: URL, key: string, signal?: AbortSignal): AsyncGenerator<RunStreamEvent, void> {
  for await (const { id, data } of readEventStream(url, key, signal)) {
    const event = { ...(JSON.parse(data) as Omit<RunStreamEvent, 'seq'>), seq: Number(id) } as RunStreamEvent
    yield event
    if (event.type === 'result') return
  }
}
