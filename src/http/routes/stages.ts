import { z } from 'zod'
import { covers } from '../../model/coverage.ts'
import { Activation, Deployment, Name, Stage, StageConfig } from '../../model/skills.ts'
import { check } from '../body.ts'
import { PageQuery, pageOf } from '../pages.ts'
import { type Route, route } from '../route.ts'
import type { Services } from '../services.ts'

const ONE = '/api/skills/{skill}/stages/{stage}'

export const stageRoutes = ({ skills: { stages } }: Pick<Services, 'skills'>): Route[] => [
  route({
    id: 'listStages',
    tag: 'stages',
    method: 'GET',
    path: '/api/skills/{skill}/stages',
    access: 'skills.read',
    summary: 'List the stages of a skill',
    description: 'Whoever needs a grant sees those that it covers.',
    responses: { 200: { description: 'All of them.', schema: z.object({ items: z.array(Stage) }) } },
    errors: [],
    async handle({ caller, params, coverage }) {
      const all = await stages.list(caller.tenant, params.skill)
      return { status: 200, body: { items: all.filter(({ skill, name }) => covers(coverage, skill, name)) } }
    },
  }),
  route({
    id: 'getStage',
    tag: 'stages',
    method: 'GET',
    path: ONE,
    access: 'skills.read',
    summary: 'Show a stage',
    responses: { 200: { description: 'The stage.', schema: Stage } },
    errors: [],
    handle: async ({ caller, params }) => ({
      status: 200,
      body: await stages.find(caller.tenant, params.skill, params.stage),
    }),
  }),
  route({
    id: 'putStage',
    tag: 'stages',
    method: 'PUT',
    path: ONE,
    access: 'stages.write',
    summary: 'Make a stage, or replace its configuration',
    description: 'What is deployed keeps the configuration it was frozen with; the next deploy takes the new one.',
    body: z.strictObject({
      config: z.strictObject(StageConfig.shape).default({}),
      revision: z.number().int().optional().meta({ description: 'Only if the stage has this revision.' }),
    }),
    responses: { 200: { description: 'The stage as it is now.', schema: Stage } },
    errors: ['stage_changed', 'name_reserved', 'secret_unknown'],
    async handle({ caller, params, body }) {
      const name = check(z.object({ stage: Name }), { stage: params.stage }, 'path').stage
      return { status: 200, body: await stages.put(caller, params.skill, name, body.config, body.revision) }
    },
  }),
  route({
    id: 'deleteStage',
    tag: 'stages',
    method: 'DELETE',
    path: ONE,
    access: 'stages.write',
    summary: 'Delete a stage with its configuration and history',
    responses: { 204: { description: 'Deleted.' } },
    errors: [],
    async handle({ caller, params }) {
      await stages.remove(caller, params.skill, params.stage)
      return { status: 204 }
    },
  }),
  route({
    id: 'listActivations',
    tag: 'stages',
    method: 'GET',
    path: `${ONE}/history`,
    access: 'skills.read',
    summary: 'List what the stage served and since when, newest first',
    query: PageQuery,
    responses: { 200: { description: 'One page.', schema: pageOf(Activation) } },
    errors: [],
    handle: async ({ caller, params, query }) => ({
      status: 200,
      body: await stages.history(caller.tenant, params.skill, params.stage, query),
    }),
  }),
  route({
    id: 'getActiveDeployment',
    tag: 'stages',
    method: 'GET',
    path: `${ONE}/deployment`,
    access: 'skills.read',
    summary: 'Show what the stage serves, as it was frozen',
    responses: { 200: { description: 'The deployment.', schema: Deployment } },
    errors: ['stage_not_active'],
    handle: async ({ caller, params }) => ({
      status: 200,
      body: await stages.deployment(caller.tenant, params.skill, params.stage),
    }),
  }),
  route({
    id: 'getDeployment',
    tag: 'stages',
    method: 'GET',
    path: `${ONE}/deployments/{deployment}`,
    access: 'skills.read',
    summary: 'Show a deployment of the stage, present or past',
    responses: { 200: { description: 'The deployment.', schema: Deployment } },
    errors: [],
    handle: async ({ caller, params }) => ({
      status: 200,
      body: await stages.deployment(caller.tenant, params.skill, params.stage, params.deployment),
    }),
  }),
]
