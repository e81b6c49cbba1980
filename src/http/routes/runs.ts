import { z } from 'zod'
import { SkilletError } from '../../model/errors.ts'
import { LogLine, Run, RunEvent, RunStatus, isTerminal } from '../../model/runs.ts'
import { frame, live } from '../live.ts'
import { PageQuery, pageOf } from '../pages.ts'
import { prefersText } from '../preferences.ts'
import { type Route, route } from '../route.ts'
import { RunListQuery, RunSummary, runFilterOf, summariesOf } from '../run-lists.ts'
import { logPage, logText } from '../run-logs.ts'
import { runReply } from '../run-reply.ts'
import type { Services } from '../services.ts'

export const runRoutes = (services: Services): Route[] => {
  const { runs, events } = services
  return [
    route({
      id: 'listRuns',
      tag: 'runs',
      method: 'GET',
      path: '/api/runs',
      access: 'runs.read',
      summary: 'List runs, newest first',
      description: 'Whoever needs a grant sees those of skills and stages that it covers; an agent, its own of these.',
      query: RunListQuery.extend({ status: RunStatus.optional() }),
      responses: { 200: { description: 'One page.', schema: pageOf(RunSummary) } },
      errors: ['not_found'],
      async handle(call) {
        const filter = { ...(await runFilterOf(services, call)), status: call.query.status }
        return { status: 200, body: summariesOf(await runs.list(call.caller.tenant, filter)) }
      },
    }),
    route({
      id: 'getRun',
      tag: 'runs',
      method: 'GET',
      path: '/api/runs/{run}',
      access: 'runs.read',
      summary: 'Show a run',
      responses: { 200: { description: 'The run.', schema: Run } },
      errors: [],
      handle: async ({ caller, params }) => runReply(await runs.find(caller.tenant, params.run)),
    }),
    route({
      id: 'followRun',
      tag: 'runs',
      method: 'GET',
      path: '/api/runs/{run}/events',
      access: 'runs.read',
      summary: 'Follow a run as server-sent events',
      description:
        'Events `status`, `log` and `result`; each `data` is a RunEvent, its `seq` is the id. The stream ends after `result`. ' +
        'Nothing is left after the given id: 204, which tells an EventSource not to come back.',
      headers: { 'Last-Event-ID': 'Resume after this event.' },
      responses: {
        200: { description: 'The events.', also: { 'text/event-stream': RunEvent } },
        204: { description: 'The run has ended and there are no more events.' },
      },
      errors: [],
      async handle(call) {
        const { tenant } = call.caller
        const after = lastEventId(call.header('last-event-id'))
        const run = await runs.look(tenant, call.params.run)
        if (isTerminal(run.status) && (await events.events(tenant, run.id, after, 1)).length === 0)
          return { status: 204 }
        const follow = (signal: AbortSignal) => runs.events(tenant, run.id, after, signal)
        return { status: 200, live: live(follow, (event) => frame(event.seq, event.type, event)) }
      },
    }),
    route({
      id: 'getRunLogs',
      tag: 'runs',
      method: 'GET',
      path: '/api/runs/{run}/logs',
      access: 'runs.read',
      summary: 'Show what a run wrote, oldest first',
      description:
        'As JSON in pages (`next` is null once the run has ended and all was read), or all of it as `text/plain`.',
      query: PageQuery.extend({
        limit: z.coerce.number().int().min(1).max(1000).default(200).meta({ description: 'Lines. Default 200.' }),
      }),
      responses: {
        200: {
          description: 'One page.',
          schema: pageOf(LogLine),
          also: { 'text/plain': z.string().meta({ description: 'Instant, stream and text of each line.' }) },
        },
      },
      errors: [],
      async handle(call) {
        const run = await runs.look(call.caller.tenant, call.params.run)
        if (prefersText(call.header('accept'))) {
          return { status: 200, stream: logText(events, run), type: 'text/plain; charset=utf-8' }
        }
        return { status: 200, body: await logPage(events, run, call.query) }
      },
    }),
    route({
      id: 'cancelRun',
      tag: 'runs',
      method: 'POST',
      path: '/api/runs/{run}/cancel',
      access: 'runs.control',
      summary: 'Cancel a run in whatever state it is',
      description: 'Queued: at once. Running: its sandbox is ended, and the run follows. Finished: stays as it was.',
      responses: { 200: { description: 'The run as it is now.', schema: Run } },
      errors: [],
      handle: async ({ caller, params }) => runReply(await runs.cancel(caller, params.run)),
    }),
  ]
}

function lastEventId(header: string | undefined): number {
  if (header === undefined || header === '') return 0
  if (/^\d{1,15}$/.test(header)) return Number(header)
  throw new SkilletError('bad_request', `Last-Event-ID "${header.slice(0, 100)}" is not the number of an event.`)
}
