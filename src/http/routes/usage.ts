import { z } from 'zod'
import { Caps, Quota, QuotaState, UsageRow, UsageTotals } from '../../model/quotas.ts'
import { type Route, route } from '../route.ts'
import type { Services } from '../services.ts'

const QuotaView = Quota.extend({
  states: z.array(QuotaState).meta({ description: 'Where the tenant and each skill that has caps stand.' }),
}).meta({ id: 'QuotaView' })

/** What an operator sees: nothing of the tenant's skills. */
const CeilingView = QuotaView.pick({ tenant: true, zone: true, ceiling: true, states: true }).meta({
  id: 'CeilingView',
})

const GroupBy = z.enum(['day', 'skill', 'stage'])
const Usage = z
  .object({
    from: z.string(),
    to: z.string(),
    zone: z.string(),
    group_by: GroupBy,
    items: z.array(UsageRow),
    totals: UsageTotals,
  })
  .meta({ id: 'UsageReport' })

const Day = z.iso.date().meta({ example: '2026-11-21' })
const Reference = z.string().min(1).max(100)
const REPLACED = 'All caps are replaced: one that is null or left out holds no more.'

export const usageRoutes = ({ quotas }: Pick<Services, 'quotas'>): Route[] => [
  route({
    id: 'getQuota',
    tag: 'usage',
    method: 'GET',
    path: '/api/quota',
    access: 'quota.read',
    summary: 'Show the caps and what is used of them',
    responses: { 200: { description: 'The quota.', schema: QuotaView } },
    errors: [],
    handle: async ({ caller }) => ({ status: 200, body: await quotas.show(caller.tenant) }),
  }),
  route({
    id: 'putQuota',
    tag: 'usage',
    method: 'PUT',
    path: '/api/quota',
    access: 'quota.write',
    summary: 'Cap the runs of the tenant',
    description: `${REPLACED} The smaller of these and the operator's ceiling holds.`,
    body: z.strictObject({ caps: Caps }),
    responses: { 200: { description: 'The quota as it is now.', schema: QuotaView } },
    errors: [],
    handle: async ({ caller, body }) => ({ status: 200, body: await quotas.setCaps(caller, body.caps) }),
  }),
  route({
    id: 'putSkillQuota',
    tag: 'usage',
    method: 'PUT',
    path: '/api/quota/skills/{skill}',
    access: 'quota.write',
    summary: 'Cap the runs of a skill',
    description: REPLACED,
    body: z.strictObject({ caps: Caps }),
    responses: { 200: { description: 'The quota as it is now.', schema: QuotaView } },
    errors: [],
    handle: async ({ caller, params, body }) => ({
      status: 200,
      body: await quotas.setSkillCaps(caller, params.skill, body.caps),
    }),
  }),
  route({
    id: 'getTenantQuota',
    tag: 'operator',
    method: 'GET',
    path: '/api/tenants/{tenant}/quota',
    access: 'tenants.manage',
    summary: 'Show the ceiling of a tenant and where it stands',
    responses: { 200: { description: 'The ceiling.', schema: CeilingView } },
    errors: [],
    handle: async ({ params }) => ({ status: 200, body: ceilingOf(await quotas.showOf(params.tenant)) }),
  }),
  route({
    id: 'putTenantQuota',
    tag: 'operator',
    method: 'PUT',
    path: '/api/tenants/{tenant}/quota',
    access: 'tenants.manage',
    summary: 'Set the most that a tenant may use',
    description: REPLACED,
    body: z.strictObject({ ceiling: Caps }),
    responses: { 200: { description: 'The ceiling as it is now.', schema: CeilingView } },
    errors: [],
    handle: async ({ caller, params, body }) => ({
      status: 200,
      body: ceilingOf(await quotas.setCeiling(caller, params.tenant, body.ceiling)),
    }),
  }),
  route({
    id: 'getUsage',
    tag: 'usage',
    method: 'GET',
    path: '/api/usage',
    access: 'quota.read',
    summary: 'Show what was used, summed up by day, skill or stage',
    description: "Runs count on the day in the tenant's zone on which they ended. At most 366 days.",
    query: z.strictObject({
      from: Day.optional().meta({ description: 'First day. Default: the first of the month of `to`.' }),
      to: Day.optional().meta({ description: 'Last day. Default: today.' }),
      skill: Reference.optional().meta({ description: 'Id or name; of a deleted skill, its id.' }),
      stage: Reference.optional().meta({ description: 'Id, or with `skill` its name.' }),
      group_by: GroupBy.default('day').meta({ description: 'Default: day.' }),
    }),
    responses: { 200: { description: 'Sums, and their total.', schema: Usage } },
    errors: ['not_found'],
    async handle({ caller, query }) {
      const { group_by: groupBy, ...filter } = query
      return { status: 200, body: await quotas.usage(caller.tenant, { ...filter, groupBy }) }
    },
  }),
]

function ceilingOf({ tenant, zone, ceiling, states }: z.infer<typeof QuotaView>): z.infer<typeof CeilingView> {
  return { tenant, zone, ceiling, states: states.filter(({ skill }) => skill === null) }
}
