import { Deployment } from '../../model/skills.ts'
import { DeployProposal, DeployRequest, PromoteRequest, RollbackRequest, ServeRequest } from '../../skills/shapes.ts'
import { type Route, route } from '../route.ts'
import type { Services } from '../services.ts'

const STAGE = '/api/skills/{skill}/stages/{stage}'

export const deploymentRoutes = ({ skills }: Pick<Services, 'skills'>): Route[] => [
  route({
    id: 'proposeDeploy',
    tag: 'stages',
    method: 'GET',
    path: `${STAGE}/deploy`,
    access: 'skills.read',
    summary: 'Show what a deploy would do now: the version, the smallest change level and the changes behind it',
    responses: { 200: { description: 'To be confirmed by a POST.', schema: DeployProposal } },
    errors: ['stage_not_ready'],
    handle: async ({ caller, params }) => ({
      status: 200,
      body: await skills.propose(caller.tenant, params.skill, params.stage),
    }),
  }),
  route({
    id: 'deploy',
    tag: 'stages',
    method: 'POST',
    path: `${STAGE}/deploy`,
    access: 'stages.deploy',
    summary: 'Freeze the accepted package with the configuration of the stage, and serve it',
    description: 'Without a new upload, what is served is frozen again with the configuration as it is now.',
    body: DeployRequest,
    responses: { 201: { description: 'What the stage serves now.', schema: Deployment } },
    errors: [
      'stage_not_ready',
      'stage_changed',
      'change_level_too_low',
      'version_invalid',
      'version_taken',
      'secret_unknown',
    ],
    handle: async ({ caller, params, body }) => ({
      status: 201,
      body: await skills.deploy(caller, params.skill, params.stage, body),
    }),
  }),
  route({
    id: 'rollback',
    tag: 'stages',
    method: 'POST',
    path: `${STAGE}/rollback`,
    access: 'stages.deploy',
    summary: 'Serve again what the stage served before',
    description: 'Without a name, what was served before the present deployment; again, one more step back.',
    body: RollbackRequest,
    bodyOptional: true,
    responses: { 200: { description: 'What the stage serves now.', schema: Deployment } },
    errors: ['nothing_to_roll_back', 'stage_changed', 'secret_unknown'],
    handle: async ({ caller, params, body }) => ({
      status: 200,
      body: await skills.rollback(caller, params.skill, params.stage, body),
    }),
  }),
  route({
    id: 'promote',
    tag: 'stages',
    method: 'POST',
    path: `${STAGE}/promote`,
    access: 'stages.deploy',
    summary: 'Serve on another stage what this one serves, without building it again',
    description: "The other stage's own configuration is frozen with it. `revision` is that of the other stage.",
    body: PromoteRequest,
    responses: { 201: { description: 'What the other stage serves now.', schema: Deployment } },
    errors: ['stage_not_active', 'stage_changed', 'secret_unknown'],
    handle: async ({ caller, params, body }) => ({
      status: 201,
      body: await skills.promote(caller, params.skill, params.stage, body),
    }),
  }),
  route({
    id: 'serveVersion',
    tag: 'stages',
    method: 'POST',
    path: `${STAGE}/serve`,
    access: 'stages.deploy',
    summary: 'Serve a version that there is already, without building it again',
    description:
      'The stage is made when it is missing. Its configuration is frozen with the version; what it serves already goes on as it is.',
    body: ServeRequest,
    responses: { 200: { description: 'What the stage serves now.', schema: Deployment } },
    errors: ['stage_changed', 'secret_unknown'],
    handle: async ({ caller, params, body: { version, revision } }) => ({
      status: 200,
      body: await skills.publishing.serve(caller, params.skill, version, { stage: params.stage, revision }),
    }),
  }),
]
