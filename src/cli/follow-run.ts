import type { LogLine, RunError, RunStatus } from '../model/runs.ts'
import { readEventStream } from './event-stream.ts'

export type RunStreamEvent = { readonly seq: number; readonly at: string } & (
  | { readonly type: 'status'; readonly data: StatusData }
  | { readonly type: 'log'; readonly data: { readonly lines: LogLine[] } }
  | { readonly type: 'result'; readonly data: unknown }
)

/** What follows `reason` is there where the run is tried again. */
export interface StatusData {
  readonly status: RunStatus
  readonly reason?: string | null
  readonly attempt?: number
  readonly failure?: string
  readonly error?: RunError | null
  readonly retry_at?: string
}

/** A run's events from the first to the result. @throws CliError when the server refuses, or stays away */
export async function* followRun(url: URL, key: string, signal?: AbortSignal): AsyncGenerator<RunStreamEvent, void> {
  for await (const { id, data } of readEventStream(url, key, signal)) {
    const event = { ...(JSON.parse(data) as Omit<RunStreamEvent, 'seq'>), seq: Number(id) } as RunStreamEvent
    yield event
    if (event.type === 'result') return
  }
}
