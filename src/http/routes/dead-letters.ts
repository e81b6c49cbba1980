import { pageOf } from '../pages.ts'
import { Accepted } from '../accepted.ts'
import { type Route, route } from '../route.ts'
import { RunListQuery, RunSummary, runFilterOf, summariesOf } from '../run-lists.ts'
import type { Services } from '../services.ts'

const ONE = '/api/dead-letters/{run}'

export const deadLetterRoutes = (services: Pick<Services, 'runs' | 'skills'>): Route[] => {
  const { deadLetters } = services.runs
  return [
    route({
      id: 'listDeadLetters',
      tag: 'queues',
      method: 'GET',
      path: '/api/dead-letters',
      access: 'runs.read',
      summary: 'List the runs that failed for good although they were to be tried again, newest first',
      description: 'Whoever needs a grant sees those of skills and stages that it covers; an agent, its own of these.',
      query: RunListQuery,
      responses: { 200: { description: 'One page.', schema: pageOf(RunSummary) } },
      errors: ['not_found'],
      async handle(call) {
        const page = await deadLetters.list(call.caller.tenant, await runFilterOf(services, call))
        return { status: 200, body: summariesOf(page) }
      },
    }),
    route({
      id: 'replayDeadLetter',
      tag: 'queues',
      method: 'POST',
      path: `${ONE}/replay`,
      access: 'runs.control',
      summary: 'Run a dead letter again; it is one no more',
      description:
        'The same input on the same deployment, as a new run. Who does so at the same time gets the same run.',
      responses: {
        202: {
          description: 'The new run is durably queued.',
          schema: Accepted,
          headers: { Location: 'The new run.' },
        },
      },
      errors: [
        'not_replayable',
        'input_invalid',
        'input_too_large',
        'validation_timeout',
        'enqueue_failed',
        'isolation_unavailable',
      ],
      async handle({ caller, params }) {
        const { id, status } = await deadLetters.replay(caller, params.run)
        return { status: 202, body: { run_id: id, status }, headers: { location: `/api/runs/${id}` } }
      },
    }),
    route({
      id: 'deleteDeadLetter',
      tag: 'queues',
      method: 'DELETE',
      path: ONE,
      access: 'runs.control',
      summary: 'Let a dead letter be a run that failed',
      description: 'The run itself stays.',
      responses: { 204: { description: 'It is a dead letter no more.' } },
      errors: [],
      async handle({ caller, params }) {
        await deadLetters.dismiss(caller, params.run)
        return { status: 204 }
      },
    }),
  ]
}
