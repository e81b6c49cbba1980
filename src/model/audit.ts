import { hash } from 'node:crypto'
import { z } from 'zod'
import type { Caller } from './access.ts'
import { AnyObject, Instant } from './json.ts'

/** Everything that is audited: noun, then verb. */
export const AUDIT_ACTIONS = [
  'tenant.create',
  'tenant.update',
  'key.create',
  'key.revoke',
  'grant.create',
  'grant.delete',
  'link.create',
  'link.revoke',
  'secret.create',
  'secret.update',
  'secret.delete',
  'secret.use',
  'vault.rotate',
  'quota.update',
  'quota.soft_limit',
  'skill.create',
  'skill.update',
  'skill.delete',
  'signing_key.create',
  'version.publish',
  'version.withdraw',
  'stage.put',
  'stage.delete',
  'stage.deploy',
  'stage.promote',
  'stage.rollback',
  'upload.create',
  'upload.receive',
  'run.invoke',
  'run.replay',
  'run.cancel',
  'run.dismiss',
  'queue.pause',
  'queue.resume',
  'session.flush',
  'schedule.put',
  'schedule.delete',
  'webhook.put',
  'webhook.delete',
  'webhook.disable',
  'delivery.redeliver',
  'state.backup',
  'access.denied',
] as const
export const AuditAction = z.enum(AUDIT_ACTIONS).meta({ id: 'AuditAction' })
export type AuditAction = z.infer<typeof AuditAction>

const Digest = z.string().nullable()

/** One row of a tenant's audit log. Each row's hash covers the hash before it. */
export const AuditEvent = z
  .object({
    tenant: z.string(),
    seq: z.number().int().meta({ description: 'From 1, without gaps.' }),
    at: Instant,
    actor_kind: z.enum(['key', 'token', 'link', 'system']),
    actor: z.string(),
    action: AuditAction,
    target_kind: z.string(),
    target: z.string(),
    outcome: z.enum(['done', 'denied']),
    request_id: z.string().nullable(),
    client: z.string().nullable().meta({ description: 'Address of the client.' }),
    before: Digest.meta({ description: 'SHA-256 of the target as it was (canonical JSON), if it was.' }),
    after: Digest.meta({ description: 'SHA-256 of the target as it became, if it is.' }),
    detail: AnyObject,
    previous: z.string().meta({ description: 'Hash of the row before; 64 zeros for the first.' }),
    hash: z.string().meta({ description: 'SHA-256 of the JSON array of all other values, in this order.' }),
  })
  .meta({ id: 'AuditEvent' })
export type AuditEvent = z.infer<typeof AuditEvent>

/** Who does what to what: what a caller of the engine says; the engine adds place, time, digests and hash. */
export interface AuditNote {
  readonly tenant: string
  readonly actor_kind: AuditEvent['actor_kind']
  readonly actor: string
  readonly action: AuditAction
  readonly target_kind: string
  readonly target: string
  readonly request_id: string | null
  readonly client: string | null
  /** Never a secret value, an input or an output. */
  readonly detail: Readonly<Record<string, unknown>>
}

/** The note of what a caller does. Its tenant is the caller's: whoever writes into another tenant's log says so. */
export function noteOf(
  caller: Caller,
  action: AuditAction,
  target: { readonly kind: string; readonly id: string },
  detail: AuditNote['detail'] = {},
): AuditNote {
  return {
    tenant: caller.tenant,
    actor_kind: caller.kind,
    actor: caller.id,
    action,
    target_kind: target.kind,
    target: target.id,
    request_id: caller.request_id,
    client: caller.client,
    detail,
  }
}

/** What precedes the first row. */
export const NO_HASH = '0'.repeat(64)

/** The hash that a row must have. */
/** The note of what Skillet does by itself. */
export function systemNoteOf(
  tenant: string,
  action: AuditAction,
  target: { readonly kind: string; readonly id: string },
): AuditNote {
  return {
    tenant,
    actor_kind: 'system',
    actor: 'skillet',
    action,
    target_kind: target.kind,
    target: target.id,
    request_id: null,
    client: null,
    detail: {},
  }
}

export function auditHash(event: Omit<AuditEvent, 'hash'>): string {
  return hash('sha256', JSON.stringify(HASHED.map((name) => event[name])))
}

const HASHED = [
  'tenant',
  'seq',
  'at',
  'actor_kind',
  'actor',
  'action',
  'target_kind',
  'target',
  'outcome',
  'request_id',
  'client',
  'before',
  'after',
  'detail',
  'previous',
] as const satisfies readonly (keyof AuditEvent)[]

/** SHA-256 of a noun's JSON with sorted keys; null for what is not there. */
export function digestOf(noun: object | null): string | null {
  return noun === null ? null : hash('sha256', JSON.stringify(noun, sorted))
}

function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
