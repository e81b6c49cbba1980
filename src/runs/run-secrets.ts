import type { Engine } from '../backends/ports.ts'
import { SkilletError } from '../model/errors.ts'
import type { AuditNote } from '../model/audit.ts'
import type { Run } from '../model/runs.ts'
import { scheduleActor } from '../model/schedules.ts'
import type { Connection } from '../model/secrets.ts'
import type { Deployment } from '../model/skills.ts'
import type { Redactor } from '../runtime/driver.ts'

/** What one run is given besides its input. Kept no longer than the run takes. */
export interface RunSecrets {
  readonly env: Readonly<Record<string, string>>
  readonly connections: Readonly<Record<string, Connection>>
  /** Other values are another variant: a session that saw one serves no other. Empty where there are none. */
  readonly variant: string
  /** Null where there is nothing to hide. */
  readonly redactor: Redactor | null
}

/** Where secrets come from; the room of secrets does it, and the composition root hands it in. @throws SkilletError when one is not to be had */
export type ResolveSecrets = (
  tenant: string,
  refs: Deployment['config']['secret_refs'],
) => Promise<RunSecrets & { readonly ids: readonly string[] }>

export const NO_SECRETS: RunSecrets = { env: {}, connections: {}, variant: '', redactor: null }

/**
 * The secrets of a run, after the audit log says that it gets them.
 * @returns Why the run cannot have them, for people, if it cannot.
 */
export async function handOut(
  parts: {
    readonly audit: Engine['audit']
    readonly resolve: ResolveSecrets
    readonly onError: (error: unknown, doing: string) => void
  },
  run: Run,
  deployment: Deployment,
): Promise<RunSecrets | string> {
  const { secret_refs: refs } = deployment.config
  if (Object.keys(refs).length === 0) return NO_SECRETS
  try {
    const secrets = await parts.resolve(run.tenant, refs)
    await parts.audit.append(useOf(run, refs), 'done')
    return secrets
  } catch (error) {
    const known = error instanceof SkilletError
    if (!known || error.code === 'vault_unavailable') parts.onError(error, `handing out the secrets of run ${run.id}`)
    if (known) return `${wanted(refs)} ${error.message}`
    return `${wanted(refs)} The server could not read them, or not write down that they are used; its log says why.`
  }
}

function wanted(refs: Readonly<Record<string, string>>): string {
  const all = Object.entries(refs).map(([name, id]) => `${name} (${id})`)
  const more = all.length > SHOWN ? ` and ${all.length - SHOWN} more` : ''
  return `The run did not get its secrets ${all.slice(0, SHOWN).join(', ')}${more}.`
}

/** References that are named. */
const SHOWN = 10

function useOf(run: Run, refs: Readonly<Record<string, string>>): AuditNote {
  return {
    tenant: run.tenant,
    actor_kind: kindOf(run.created_by),
    actor: run.created_by,
    action: 'secret.use',
    target_kind: 'run',
    target: run.id,
    request_id: null,
    client: null,
    detail: { skill: run.skill, stage: run.stage, secrets: refs },
  }
}

function kindOf(actor: string): AuditNote['actor_kind'] {
  if (actor.startsWith(scheduleActor(''))) return 'system'
  return actor.startsWith('oidc:') ? 'token' : 'key'
}
