import { newId } from '../model/ids.ts'
import type { Package } from '../model/packages.ts'
import { type Size, SIZES } from '../model/sizes.ts'
import type { ChangeLevel, Deployment, Stage, StageConfig } from '../model/skills.ts'

/** The size of a skill that asks for none. */
const DEFAULT_SIZE: Size = 'M'

/** What a stage serves from now on: copies, so that nothing that is edited later reaches it. */
export function freeze(parts: {
  readonly stage: Stage
  readonly package: Package
  readonly version: string
  readonly change_level: ChangeLevel | null
  /** The deployment it was promoted from. */
  readonly promoted_from: string | null
  readonly by: string
  readonly at: string
}): Deployment {
  const { stage, package: source } = parts
  return {
    id: newId('deployment'),
    tenant: stage.tenant,
    skill: stage.skill,
    stage: stage.id,
    version: parts.version,
    digest: source.digest,
    input_schema: source.input_schema,
    output_schema: source.output_schema,
    handler: source.handler,
    runtime: source.runtime,
    bundle_blob: source.bundle_blob,
    config: settle(stage.config, source.defaults),
    change_level: parts.change_level,
    origin: parts.promoted_from === null ? 'deploy' : 'promote',
    promoted_from: parts.promoted_from,
    created_by: parts.by,
    created_at: parts.at,
  }
}

/** The stage's word counts first, then the package's, then the size's. */
function settle(stage: StageConfig, asked: Package['defaults']): Deployment['config'] {
  const size = stage.size ?? asked.size ?? DEFAULT_SIZE
  return {
    size,
    timeout_s: stage.timeout_s ?? asked.timeout_s ?? SIZES[size].timeout_s,
    isolation: stage.isolation ?? 'session',
    env: stage.env ?? {},
    secret_refs: stage.secret_refs ?? {},
    network: stage.network ?? asked.network ?? [],
    ...(stage.retry && { retry: stage.retry }),
  }
}
