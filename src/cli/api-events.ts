import type { Activity } from '../model/activity.ts'
import type { Connection } from './connection.ts'
import { readEventStream } from './event-stream.ts'

/** Calls about what happens, live. */
export function createEventsApi({ url, key }: Pick<Connection, 'url' | 'key'>, signal?: AbortSignal) {
  return {
    /** What happens from now on in the tenant, or on one stage; connects again when the connection breaks. */
    async *followActivity(
      of: { skill: string; stage: string } | null,
      query: { types?: string | undefined },
    ): AsyncGenerator<Activity, void> {
      const path =
        of === null
          ? '/api/events'
          : `/api/skills/${encodeURIComponent(of.skill)}/stages/${encodeURIComponent(of.stage)}/events`
      const from = new URL(path, url)
      if (query.types !== undefined) from.searchParams.set('types', query.types)
      for await (const { event, data } of readEventStream(from, key, signal)) {
        if (event !== 'hello') yield JSON.parse(data) as Activity
      }
    },
  }
}
