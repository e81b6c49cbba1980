import type { Blobs, Engine } from '../backends/ports.ts'
import { createActivate } from './activate.ts'
import { type AgentCatalogue, createAgentCatalogue } from './agent-catalogue.ts'
import { type AgentVersions, createAgentVersions } from './agent-versions.ts'
import { type Catalogue, createCatalogue } from './catalogue.ts'
import { type Deploy, createDeploy } from './deploy.ts'
import type { StageListener } from './listener.ts'
import { createLookup } from './lookup.ts'
import { type PublicCatalogue, createPublicCatalogue } from './public-catalogue.ts'
import { type Promote, createPromote } from './promote.ts'
import { createPlanner, proposalOf } from './proposal.ts'
import { type Checker, type Publishing, createPublishing } from './publish.ts'
import { type Rollback, createRollback } from './rollback.ts'
import type { DeployProposal } from './shapes.ts'
import { type ReferToSecrets, type Stages, createStages } from './stages.ts'
import { type ArrivalListener, type Uploads, createUploads } from './uploads.ts'
import { type Versions, createVersions } from './versions.ts'

/** Everything a caller can do with skills, stages, uploads and versions. Who may do it was decided before. */
export interface SkillsService {
  readonly catalogue: Catalogue
  readonly stages: Stages
  readonly uploads: Uploads
  readonly versions: Versions
  /** What a deploy would do now. @throws SkilletError stage_not_ready */
  propose(tenant: string, skill: string, stage: string): Promise<DeployProposal>
  readonly deploy: Deploy
  readonly rollback: Rollback
  readonly promote: Promote
  /** Versions without the steps of a stage. */
  readonly publishing: Publishing
  /** What agents find. */
  readonly agents: AgentCatalogue
  /** What anybody finds. */
  readonly publicSkills: PublicCatalogue
  /** Versions of what they find. */
  readonly agentVersions: AgentVersions
}

/** @param parts.maxUploadBytes Largest package; default LIMITS.uploadBytes. */
export function createSkillsService(parts: {
  engine: Engine
  blobs: Pick<Blobs, 'put' | 'uploadUrl'>
  validator: ArrivalListener & Checker
  listener: StageListener
  referToSecrets: ReferToSecrets
  requireIsolation: () => void
  maxUploadBytes?: number
}): SkillsService {
  const lookup = createLookup(parts.engine)
  const shared = { engine: parts.engine, lookup, listener: parts.listener, activate: createActivate(parts) }
  const plan = createPlanner(shared)
  const agents = createAgentCatalogue({ store: parts.engine.catalogue, lookup })
  return {
    catalogue: createCatalogue(shared),
    stages: createStages({ ...shared, referToSecrets: parts.referToSecrets }),
    uploads: createUploads({ ...parts, lookup, maxBytes: parts.maxUploadBytes }),
    versions: createVersions(shared),
    propose: async (tenant, skill, stage) => proposalOf(await plan(tenant, skill, stage)),
    deploy: createDeploy({ ...shared, plan }),
    rollback: createRollback(shared),
    promote: createPromote(shared),
    publishing: createPublishing({ ...parts, ...shared, checker: parts.validator }),
    agents,
    publicSkills: createPublicCatalogue({ store: parts.engine.catalogue }),
    agentVersions: createAgentVersions({ ...shared, agents }),
  }
}
