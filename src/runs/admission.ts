import type { Engine } from '../backends/ports.ts'
import type { Admission } from '../backends/run-ports.ts'
import type { Caller } from '../model/access.ts'
import { noteOf } from '../model/audit.ts'
import { SkilletError, notFound } from '../model/errors.ts'
import { newId } from '../model/ids.ts'
import { now } from '../model/json.ts'
import type { Run } from '../model/runs.ts'
import { LIMITS } from '../model/sizes.ts'
import type { Deployment } from '../model/skills.ts'
import type { SchemaValidator } from '../schemas/validator.ts'
import type { DeploymentCache } from './deployment-cache.ts'
import { checkInput } from './input-check.ts'
import { newRun, queueOf } from './new-run.ts'
import type { RunWorker } from './worker.ts'

export interface Invocation {
  /** Id or name. */
  readonly skill: string
  readonly stage: string
  readonly input: unknown
  /** Client's key and what it stands for: a repeat with the same fingerprint answers with the first run. */
  readonly idempotency?: { readonly key: string; readonly fingerprint: string } | undefined
}

/** No two principals, and no two kinds of request, have the same key. */
type Once = { readonly key: string; readonly fingerprint: string }

interface RunAdmission {
  invoke(caller: Caller, invocation: Invocation): Promise<{ run: Run; repeated: boolean }>
  /** @param key All replays with this key are one, whoever asks for them. */
  replay(caller: Caller, before: Run, key?: string): Promise<Run>
}

/** The first half of DESIGN 6: from a call to a durable `queued` row, or to a refusal that leaves none. */
export function createAdmission(parts: {
  engine: Engine
  schemas: SchemaValidator
  deployments: DeploymentCache
  /** @throws SkilletError isolation_unavailable on a machine where no run may be begun. */
  requireIsolation: () => void
  worker: Pick<RunWorker, 'offer'>
}): RunAdmission {
  const { engine, schemas, deployments, requireIsolation, worker } = parts

  async function activeDeployment(tenant: string, skillName: string, stageName: string): Promise<Deployment> {
    const served = await engine.skills.findServed(tenant, skillName, stageName)
    if (served === null) throw notFound('skill', skillName)
    const { skill, stage } = served
    if (stage === null) throw notFound('stage', `${skillName}/${stageName}`)
    if (stage.deployment === null) {
      throw new SkilletError('stage_not_active', `Stage "${stage.name}" of skill "${skill}" has no deployment.`)
    }
    return deployments.get(tenant, stage.deployment)
  }

  async function admit(
    caller: Caller,
    deployment: Deployment,
    input: unknown,
    { once, ...more }: { replay_of?: string; once?: Once | undefined },
  ): Promise<{ run: Run; repeated: boolean }> {
    requireIsolation()
    const at = Date.now()
    const queue = queueOf(deployment)
    const { tenant, id: created_by } = caller
    const { skill, stage } = deployment
    const run = newRun({ id: newId('run', at), tenant, skill, stage, deployment, input, created_by, at, ...more })
    const idempotency = once && { ...once, expires_at: now(at + LIMITS.idempotencySeconds * 1000) }
    // A worker with a free place takes the next run in the same transaction: one sync less on the way of a warm run.
    const place = worker.offer(queue)
    try {
      const note = noteOf(
        caller,
        run.replay_of === null ? 'run.invoke' : 'run.replay',
        { kind: 'run', id: run.id },
        more.replay_of === undefined ? { skill, stage } : { skill, stage, replay_of: more.replay_of },
      )
      const admission = await engine.runs.admit(run, queue, note, {
        idempotency,
        trace: caller.trace,
        take: place === null ? undefined : { leaseMs: place.leaseMs, begin: place.fill },
      })
      return outcomeOf(admission)
    } finally {
      place?.fill([])
    }
  }

  return {
    async invoke(caller, { skill, stage, input, idempotency }) {
      const deployment = await activeDeployment(caller.tenant, skill, stage)
      await checkInput(schemas, deployment, input)
      // Of the caller alone: nobody takes another's run for the answer, or spoils a key that another will use.
      const once = idempotency && { ...idempotency, key: JSON.stringify([caller.id, idempotency.key]) }
      return admit(caller, deployment, input, { once })
    },

    async replay(caller, before, key) {
      if (before.deployment === null) {
        throw new SkilletError('not_replayable', `Run ${before.id} had no deployment; invoke its stage instead.`)
      }
      const deployment = await deployments.get(before.tenant, before.deployment)
      const skill = await engine.skills.findSkill(before.tenant, before.skill)
      if (skill === null) throw new SkilletError('not_replayable', `The skill of run ${before.id} was deleted.`)
      // Deleting a stage ends its runs, also those that would be begun anew on it.
      const stage = await engine.skills.findStage(before.tenant, skill.id, before.stage)
      if (stage === null) throw new SkilletError('not_replayable', `The stage of run ${before.id} was deleted.`)
      await checkInput(schemas, deployment, before.input)
      const once = key === undefined ? undefined : { key: JSON.stringify(['replay', key]), fingerprint: before.id }
      const { run } = await admit(caller, deployment, before.input, { replay_of: before.id, once })
      return run
    },
  }
}

/** @throws SkilletError idempotency_mismatch, enqueue_failed */
function outcomeOf(admission: Admission): { run: Run; repeated: boolean } {
  switch (admission.outcome) {
    case 'mismatch':
      throw new SkilletError('idempotency_mismatch', 'The first request with this key asked for something else.')
    case 'enqueue_failed':
      throw new SkilletError('enqueue_failed', `Run ${admission.run.id} could not be queued.`, {
        data: { run_id: admission.run.id },
      })
    default:
      return { run: admission.run, repeated: admission.outcome === 'repeated' }
  }
}
