import type { AnyRole } from '../model/access.ts'

/**
 * What a role may do: `yes`; `grant`: for skills and stages that a grant covers; `own`: of those, only what it began itself; `no`.
 * Lists show what is covered.
 */
export type Permission = 'yes' | 'grant' | 'own' | 'no'

const OWNER = { owner: 'yes', developer: 'no', viewer: 'no', agent: 'no', operator: 'no' } as const
const OPERATOR = { owner: 'no', developer: 'no', viewer: 'no', agent: 'no', operator: 'yes' } as const

/** Who may do what: the one table. An operation that is not listed does not exist. */
export const PERMISSIONS = {
  'self.read': { owner: 'yes', developer: 'yes', viewer: 'yes', agent: 'yes', operator: 'yes' },
  'skills.read': { owner: 'yes', developer: 'grant', viewer: 'yes', agent: 'no', operator: 'no' },
  // A skill as a whole: a grant of single stages does not cover it, as versions may never have been on those.
  'versions.read': { owner: 'yes', developer: 'grant', viewer: 'yes', agent: 'grant', operator: 'no' },
  'versions.withdraw': OWNER,
  'signing.rotate': OWNER,
  // What agents find, all three levels of it.
  'catalogue.read': { owner: 'yes', developer: 'grant', viewer: 'yes', agent: 'grant', operator: 'no' },
  // The same as files for others' clients: what links are for.
  'discovery.read': { owner: 'yes', developer: 'grant', viewer: 'yes', agent: 'grant', operator: 'no' },
  'skills.write': OWNER,
  'stages.write': OWNER,
  'packages.upload': OWNER,
  'stages.deploy': OWNER,
  'runs.invoke': { owner: 'yes', developer: 'grant', viewer: 'no', agent: 'grant', operator: 'no' },
  'runs.read': { owner: 'yes', developer: 'grant', viewer: 'yes', agent: 'own', operator: 'no' },
  'runs.control': { owner: 'yes', developer: 'grant', viewer: 'no', agent: 'own', operator: 'no' },
  // What happens, live: as the runs are read, but for agents, which follow their own run by run.
  'events.read': { owner: 'yes', developer: 'grant', viewer: 'yes', agent: 'no', operator: 'no' },
  'queues.read': { owner: 'yes', developer: 'no', viewer: 'yes', agent: 'no', operator: 'no' },
  'queues.control': OWNER,
  // What it costs is a cold start: who may begin and cancel runs may do it.
  'sessions.read': { owner: 'yes', developer: 'grant', viewer: 'yes', agent: 'no', operator: 'no' },
  'sessions.flush': { owner: 'yes', developer: 'grant', viewer: 'no', agent: 'no', operator: 'no' },
  'sessions.flush_all': OPERATOR,
  'schedules.read': { owner: 'yes', developer: 'grant', viewer: 'yes', agent: 'no', operator: 'no' },
  'webhooks.read': { owner: 'yes', developer: 'grant', viewer: 'yes', agent: 'no', operator: 'no' },
  'webhooks.write': OWNER,
  // Of its own tenant; the operators' one has theirs.
  'keys.manage': { owner: 'yes', developer: 'no', viewer: 'no', agent: 'no', operator: 'yes' },
  'grants.manage': OWNER,
  'links.manage': OWNER,
  'secrets.manage': OWNER,
  'quota.read': { owner: 'yes', developer: 'no', viewer: 'yes', agent: 'no', operator: 'no' },
  'quota.write': OWNER,
  'audit.read': { owner: 'yes', developer: 'no', viewer: 'no', agent: 'no', operator: 'yes' },
  'tenants.manage': OPERATOR,
  'vault.rotate': OPERATOR,
  'metrics.read': OPERATOR,
  // All that tenants have is in it: whoever may take one could as well read the disk.
  'state.backup': OPERATOR,
} as const satisfies Record<string, Record<AnyRole, Permission>>

export type Operation = keyof typeof PERMISSIONS

/** A link is an agent that may do this and nothing else, for the skills and the stage that it was made for. */
export const LINK_OPERATIONS: ReadonlySet<Operation> = new Set(['discovery.read'])
