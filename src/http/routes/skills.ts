import { z } from 'zod'
import { skillsOf } from '../../model/coverage.ts'
import { Name, Skill } from '../../model/skills.ts'
import { PageQuery, pageOf } from '../pages.ts'
import { type Route, route } from '../route.ts'
import type { Services } from '../services.ts'

const Description = z.string().max(1024)

export const skillRoutes = ({ skills: { catalogue } }: Pick<Services, 'skills'>): Route[] => [
  route({
    id: 'createSkill',
    tag: 'skills',
    method: 'POST',
    path: '/api/skills',
    access: 'skills.write',
    summary: 'Make a skill',
    body: z.strictObject({ name: Name, description: Description.default('') }),
    responses: { 201: { description: 'Made.', schema: Skill, headers: { Location: 'Where it is.' } } },
    errors: ['name_taken'],
    async handle({ caller, body }) {
      const skill = await catalogue.create(caller, body)
      return { status: 201, body: skill, headers: { location: `/api/skills/${skill.id}` } }
    },
  }),
  route({
    id: 'listSkills',
    tag: 'skills',
    method: 'GET',
    path: '/api/skills',
    access: 'skills.read',
    summary: 'List the skills, newest first',
    description: 'Whoever needs a grant sees those that it covers, or a stage of them.',
    query: PageQuery,
    responses: { 200: { description: 'One page.', schema: pageOf(Skill) } },
    errors: [],
    handle: async ({ caller, query, coverage }) => ({
      status: 200,
      body: await catalogue.list(caller.tenant, { ...query, only: skillsOf(coverage) }),
    }),
  }),
  route({
    id: 'getSkill',
    tag: 'skills',
    method: 'GET',
    path: '/api/skills/{skill}',
    access: 'skills.read',
    summary: 'Show a skill',
    responses: { 200: { description: 'The skill.', schema: Skill } },
    errors: [],
    handle: async ({ caller, params }) => ({
      status: 200,
      body: await catalogue.find(caller.tenant, params.skill),
    }),
  }),
  route({
    id: 'updateSkill',
    tag: 'skills',
    method: 'PATCH',
    path: '/api/skills/{skill}',
    access: 'skills.write',
    summary: 'Change the description of a skill',
    description: 'Its name stays for ever: callers know the skill by it.',
    body: z.strictObject({ description: Description }),
    responses: { 200: { description: 'The skill as it is now.', schema: Skill } },
    errors: [],
    handle: async ({ caller, params, body }) => ({
      status: 200,
      body: await catalogue.describe(caller, params.skill, body.description),
    }),
  }),
  route({
    id: 'deleteSkill',
    tag: 'skills',
    method: 'DELETE',
    path: '/api/skills/{skill}',
    access: 'skills.write',
    summary: 'Delete a skill with its stages and versions',
    description: 'Queued runs are cancelled and running ones asked to stop; the records of its runs stay.',
    responses: { 204: { description: 'Deleted.' } },
    errors: [],
    async handle({ caller, params }) {
      await catalogue.remove(caller, params.skill)
      return { status: 204 }
    },
  }),
]
