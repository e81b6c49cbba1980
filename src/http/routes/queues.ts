import { Queues } from '../../model/queues.ts'
import { Stage } from '../../model/skills.ts'
import { type Route, route } from '../route.ts'
import type { Services } from '../services.ts'

const STAGE = '/api/skills/{skill}/stages/{stage}'
const WAITING = 'What runs goes on. What is begun is taken in and waits. Doing it twice is doing it once.'

export const queueRoutes = ({ runs: { queues } }: Pick<Services, 'runs'>): Route[] => [
  route({
    id: 'getQueues',
    tag: 'queues',
    method: 'GET',
    path: '/api/queues',
    access: 'queues.read',
    summary: 'Show how many runs wait, and whether they may begin',
    responses: { 200: { description: 'The queues of the tenant.', schema: Queues } },
    errors: [],
    handle: async ({ caller }) => ({ status: 200, body: await queues.show(caller.tenant) }),
  }),
  route({
    id: 'pauseQueues',
    tag: 'queues',
    method: 'POST',
    path: '/api/queues/pause',
    access: 'queues.control',
    summary: 'Let no run of the tenant begin',
    description: WAITING,
    responses: { 200: { description: 'The queues as they are now.', schema: Queues } },
    errors: [],
    handle: async ({ caller }) => ({ status: 200, body: await queues.pauseTenant(caller, true) }),
  }),
  route({
    id: 'resumeQueues',
    tag: 'queues',
    method: 'POST',
    path: '/api/queues/resume',
    access: 'queues.control',
    summary: 'Let the runs of the tenant begin again',
    description: 'But for those of stages that are paused by themselves.',
    responses: { 200: { description: 'The queues as they are now.', schema: Queues } },
    errors: [],
    handle: async ({ caller }) => ({ status: 200, body: await queues.pauseTenant(caller, false) }),
  }),
  route({
    id: 'pauseStage',
    tag: 'queues',
    method: 'POST',
    path: `${STAGE}/pause`,
    access: 'stages.write',
    summary: 'Let no run of the stage begin',
    description: WAITING,
    responses: { 200: { description: 'The stage as it is now.', schema: Stage } },
    errors: [],
    handle: async ({ caller, params: { skill, stage } }) => ({
      status: 200,
      body: await queues.pauseStage(caller, skill, stage, true),
    }),
  }),
  route({
    id: 'resumeStage',
    tag: 'queues',
    method: 'POST',
    path: `${STAGE}/resume`,
    access: 'stages.write',
    summary: 'Let the runs of the stage begin again',
    description: 'Unless the whole tenant is paused.',
    responses: { 200: { description: 'The stage as it is now.', schema: Stage } },
    errors: [],
    handle: async ({ caller, params: { skill, stage } }) => ({
      status: 200,
      body: await queues.pauseStage(caller, skill, stage, false),
    }),
  }),
]
