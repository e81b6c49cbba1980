import { z } from 'zod'
import type { Caller } from '../../model/access.ts'
import { AnyJson } from '../../model/json.ts'
import { Run, isTerminal } from '../../model/runs.ts'
import { LIMITS } from '../../model/sizes.ts'
import { Accepted } from '../accepted.ts'
import { fingerprintOf } from '../fingerprint.ts'
import { idempotencyKeyOf, waitOf } from '../preferences.ts'
import { RATE_LIMIT_HEADERS, rateLimitFields } from '../rate-limit-fields.ts'
import type { Reply } from '../reply.ts'
import { type ResponseSpec, type Route, route } from '../route.ts'
import { runReply } from '../run-reply.ts'
import type { Services } from '../services.ts'

const RESPONSES: Record<number, ResponseSpec> = {
  200: {
    description: 'The finished run, where `Prefer: wait` was sent and it finished in time.',
    schema: Run,
    headers: { 'Preference-Applied': 'The wait that was granted, in seconds.', ...RATE_LIMIT_HEADERS },
  },
  202: {
    description: 'The run is durably queued.',
    schema: Accepted,
    headers: {
      Location: 'The run.',
      'Idempotent-Replayed': '`true` where the key was known: the run of the first time.',
      ...RATE_LIMIT_HEADERS,
    },
  },
}
const PREFER = `wait=SECONDS: answer with the finished run if it takes no longer. At most ${LIMITS.waitSeconds}.`

export const invokeRoutes = (services: InvokeServices): Route[] => [
  route({
    id: 'invoke',
    tag: 'runs',
    method: 'POST',
    path: '/api/skills/{skill}/stages/{stage}/invoke',
    access: 'runs.invoke',
    summary: 'Run what the stage serves',
    maxBytes: LIMITS.requestBytes,
    body: z.strictObject({ input: AnyJson.optional().meta({ description: 'Default: {}.' }) }),
    headers: {
      Prefer: PREFER,
      'Idempotency-Key': 'A repeat with the same key and input answers with the run of the first time.',
    },
    responses: RESPONSES,
    errors: [
      'input_invalid',
      'input_too_large',
      'validation_timeout',
      'stage_not_active',
      'idempotency_mismatch',
      'enqueue_failed',
      'isolation_unavailable',
    ],
    async handle(call) {
      const { skill, stage } = call.params
      const input = call.body.input === undefined ? {} : call.body.input
      const key = idempotencyKeyOf(call.header('idempotency-key'))
      const { run, repeated } = await services.runs.invoke(call.caller, {
        skill,
        stage,
        input,
        idempotency:
          key === null ? undefined : { key, fingerprint: await fingerprintOf([skill, stage], call.text, input) },
      })
      return answer(services, call, run, repeated)
    },
  }),
  route({
    id: 'replayRun',
    tag: 'runs',
    method: 'POST',
    path: '/api/runs/{run}/replay',
    access: 'runs.control',
    summary: 'Run the same input on the same deployment again',
    headers: { Prefer: PREFER },
    responses: RESPONSES,
    errors: [
      'not_replayable',
      'input_invalid',
      'input_too_large',
      'validation_timeout',
      'enqueue_failed',
      'isolation_unavailable',
    ],
    handle: async (call) => answer(services, call, await services.runs.replay(call.caller, call.params.run), false),
  }),
]

type InvokeServices = Pick<Services, 'runs' | 'quotas'>

interface Asked {
  readonly caller: Caller
  header(name: string): string | undefined
  signal(): AbortSignal
}

/** The finished run if the caller waits and it finishes in time, else where to look for it. */
async function answer({ runs, quotas }: InvokeServices, call: Asked, admitted: Run, repeated: boolean): Promise<Reply> {
  const seconds = waitOf(call.header('prefer'))
  const headers: Record<string, string> = { location: `/api/runs/${admitted.id}` }
  if (repeated) headers['idempotent-replayed'] = 'true'
  let run = admitted
  if (seconds !== null) {
    headers['preference-applied'] = `wait=${seconds}`
    run = await runs.wait(run, seconds * 1000, call.signal())
  }
  Object.assign(headers, rateLimitFields(await quotas.standing(run.tenant, run.skill), Date.now()))
  const accepted = { status: 202, body: { run_id: run.id, status: run.status }, headers }
  if (seconds === null || !isTerminal(run.status)) return accepted
  // Its result is there, and can be asked for when there is room for it.
  return { ...runReply(run), headers, smaller: accepted }
}
