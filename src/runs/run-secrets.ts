import type { Engine } from '../backends/ports.ts'
import { SkilletError } from '../model/errors.ts'
import type { AuditNote } from '../model/audit.ts'
import type { Run } from '../model/runs.ts'
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
  audit: Engine['audit'],
  resolve: ResolveSecrets,
  run: Run,
  deployment: Deployment,
): Promise<RunSecrets | string> {
  const { secret_refs: refs } = deployment.config
  if (Object.keys(refs).length === 0) return NO_SECRETS
  try {
    const secrets = await resolve(run.tenant, refs)
    await audit.append(useOf(run, refs), 'done')
    return secrets
  } catch (error) {
    if (error instanceof SkilletError) return error.message
    throw error
  }
}

function useOf(run: Run, refs: Readonly<Record<string, string>>): AuditNote {
  return {
    tenant: run.tenant,
    actor_kind: run.created_by.startsWith('oidc:') ? 'token' : 'key',
    actor: run.created_by,
    action: 'secret.use',
    target_kind: 'run',
    target: run.id,
    request_id: null,
    client: null,
    detail: { skill: run.skill, stage: run.stage, secrets: refs },
  }
}
