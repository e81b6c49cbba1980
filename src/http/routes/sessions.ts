import { z } from 'zod'
import { type Coverage, covers } from '../../model/coverage.ts'
import { Flushed, SessionInfo } from '../../model/sessions.ts'
import type { MayStage } from '../../runs/sessions.ts'
import { type Route, route } from '../route.ts'
import type { Services } from '../services.ts'

const SessionList = z.object({ items: z.array(SessionInfo) })
const ENDS = 'Idle ones end now, busy ones after their run. The next runs get new ones.'
const FLUSHED = { 200: { description: 'What ended, and what ends after its run.', schema: Flushed } }

export const sessionRoutes = ({ sessions, tenants }: Pick<Services, 'sessions' | 'tenants'>): Route[] => [
  route({
    id: 'listSessions',
    tag: 'runs',
    method: 'GET',
    path: '/api/sessions',
    access: 'sessions.read',
    summary: 'List the sandboxes that are kept for runs',
    responses: { 200: { description: 'Those of this server, the busy ones first.', schema: SessionList } },
    errors: [],
    handle: async ({ caller, coverage }) => ({
      status: 200,
      body: { items: await sessions.list(caller.tenant, mayOf(coverage)) },
    }),
  }),
  route({
    id: 'flushStage',
    tag: 'runs',
    method: 'POST',
    path: '/api/skills/{skill}/stages/{stage}/sessions/flush',
    access: 'sessions.flush',
    summary: 'End the sandboxes of a stage',
    description: ENDS,
    responses: FLUSHED,
    errors: [],
    handle: async ({ caller, params: { skill, stage } }) => ({
      status: 200,
      body: await sessions.flushStage(caller, skill, stage),
    }),
  }),
  route({
    id: 'flushSessions',
    tag: 'runs',
    method: 'POST',
    path: '/api/sessions/flush',
    access: 'sessions.flush',
    summary: 'End the sandboxes of all stages that the caller may flush',
    description: ENDS,
    responses: FLUSHED,
    errors: [],
    handle: async ({ caller, coverage }) => ({
      status: 200,
      body: await sessions.flushTenant(caller, mayOf(coverage)),
    }),
  }),
  route({
    id: 'listTenantSessions',
    tag: 'operator',
    method: 'GET',
    path: '/api/tenants/{tenant}/sessions',
    access: 'tenants.manage',
    summary: 'List the sandboxes that are kept for the runs of a tenant',
    responses: { 200: { description: 'Those of this server, the busy ones first.', schema: SessionList } },
    errors: [],
    handle: async ({ params }) => ({
      status: 200,
      body: { items: await sessions.list((await tenants.find(params.tenant)).id, null) },
    }),
  }),
  route({
    id: 'flushServer',
    tag: 'operator',
    method: 'POST',
    path: '/api/server/sessions/flush',
    access: 'sessions.flush_all',
    summary: 'End the sandboxes of all tenants',
    description: ENDS,
    responses: FLUSHED,
    errors: [],
    handle: async ({ caller }) => ({ status: 200, body: await sessions.flushAll(caller) }),
  }),
]

const mayOf = (coverage: Coverage | null): MayStage | null =>
  coverage === null ? null : (skill, stage) => covers(coverage, skill, stage)
