import type { ApiKey, Grant, Tenant } from '../model/access.ts'
import type { Page, PageOptions } from '../model/page.ts'
import type { AuditAction, AuditEvent, AuditNote } from '../model/audit.ts'
import type { Caps, Quota, QuotaState, UsageRow } from '../model/quotas.ts'
import type { Secret } from '../model/secrets.ts'

/**
 * Verbs that change something take the note of who does it: its audit row is written in the same transaction, so that what cannot be
 * audited is not done. A note of null is the server itself at its start.
 */
export interface AccessStore {
  /** The tenant and its first key, together or not at all. The note goes into the operator's log and into the tenant's. @throws SkilletError name_taken */
  createTenant(tenant: Tenant, key: ApiKey, keyHash: string, note: AuditNote | null): Promise<void>
  /** Without the operator's. */
  countTenants(): Promise<number>
  findTenant(idOrName: string): Promise<Tenant | null>
  listTenants(page: PageOptions): Promise<Page<Tenant>>
  /** The note goes into both logs. */
  updateTenant(
    id: string,
    change: Partial<Pick<Tenant, 'suspended' | 'zone' | 'retention_days' | 'audience'>>,
    note: AuditNote,
  ): Promise<Tenant | null>

  /** A note of another tenant than the key's, as an operator's is, goes into both logs. */
  createKey(key: ApiKey, keyHash: string, note: AuditNote | null): Promise<void>
  /** By SHA-256 (hex) of the whole key, with its tenant. Revoked and expired keys are returned too: the caller refuses them. */
  findKey(keyHash: string): Promise<{ key: ApiKey; tenant: Tenant } | null>
  findKeyById(tenant: string, id: string): Promise<ApiKey | null>
  /** Newest first, revoked and expired ones too. */
  listKeys(tenant: string, page: PageOptions): Promise<Page<ApiKey>>
  /** Also deletes its grants. Revoking it again changes nothing. Null: there is none. */
  revokeKey(tenant: string, id: string, at: string, note: AuditNote): Promise<ApiKey | null>
  /** When keys were last used; never moves back. */
  touchKeys(uses: readonly { readonly id: string; readonly at: string }[]): Promise<void>

  /** @throws SkilletError grants_full */
  createGrant(grant: Grant, note: AuditNote): Promise<void>
  findGrant(tenant: string, id: string): Promise<Grant | null>
  listGrants(tenant: string, filter: PageOptions & { principal?: string | undefined }): Promise<Page<Grant>>
  deleteGrant(tenant: string, id: string, note: AuditNote): Promise<boolean>
  /** Those in force at that instant. */
  grantsOf(tenant: string, principal: string, at: string): Promise<Grant[]>
}

export interface AuditStore {
  /** For what is no change: denied access, use of secrets. */
  append(note: AuditNote, outcome: AuditEvent['outcome']): Promise<AuditEvent>
  /** Newest first. */
  list(
    tenant: string,
    filter: PageOptions & {
      action?: AuditAction | undefined
      actor?: string | undefined
      target?: string | undefined
    },
  ): Promise<Page<AuditEvent>>
  /** Oldest first, after `afterSeq`: for export and verification. */
  read(tenant: string, afterSeq: number, limit: number): Promise<AuditEvent[]>
  /** What the last row must be; null before the first. */
  head(tenant: string): Promise<{ seq: number; hash: string } | null>
}

/** Metadata of secrets. Values are in the vault. */
export interface SecretStore {
  /** @throws SkilletError name_taken */
  createSecret(secret: Secret, note: AuditNote): Promise<void>
  findSecret(tenant: string, idOrName: string): Promise<Secret | null>
  findSecrets(tenant: string, ids: readonly string[]): Promise<Secret[]>
  listSecrets(tenant: string, page: PageOptions): Promise<Page<Secret>>
  /** Points at a new value, if `revision` is still the present one. @throws SkilletError secret_changed. Null: there is none. */
  reviseSecret(tenant: string, id: string, revision: number, at: string, note: AuditNote): Promise<Secret | null>
  /** @throws SkilletError secret_in_use with data.stages while a stage's configuration or active deployment refers to it. Null: there was none. */
  deleteSecret(tenant: string, id: string, note: AuditNote): Promise<Secret | null>
}

/** Whose word a cap is, and for what: the operator's and the owner's for the tenant, the owner's for one skill. */
export type QuotaScope =
  | { readonly kind: 'ceiling' }
  | { readonly kind: 'tenant' }
  | { readonly kind: 'skill'; readonly skill: string }

export interface QuotaStore {
  findQuota(tenant: string): Promise<Quota>
  /** Replaces the caps of one scope; empty ones remove them. A note of another tenant goes into both logs. */
  putQuota(tenant: string, scope: QuotaScope, caps: Caps, note: AuditNote): Promise<Quota>
  /** Where the tenant and its skills, or the one that is named, stand: one state per scope that has caps. */
  quotaStates(tenant: string, skill?: string): Promise<QuotaState[]>
  /** Summed up. Days are inclusive, `YYYY-MM-DD`. */
  usage(
    tenant: string,
    filter: {
      from: string
      to: string
      skill?: string | undefined
      stage?: string | undefined
      groupBy: 'day' | 'skill' | 'stage'
    },
  ): Promise<UsageRow[]>
}

/** Values of secrets, and nothing else. They are looked up by a path and the revision of the value. */
export interface Vault {
  /** Keeps the value; the same path and revision again replaces it. @throws SkilletError vault_unavailable */
  put(path: string, revision: number, value: string): Promise<void>
  /** @throws SkilletError vault_unavailable; Error when there is no such value. */
  get(path: string, revision: number): Promise<string>
  /** All revisions but one, or all. */
  prune(path: string, keep: number | null): Promise<void>
  /** Proves that what is stored can be read; for /readyz. @throws SkilletError vault_unavailable */
  check(): Promise<void>
  /**
   * A new master key for all values. The audit row is written in the last transaction; until then the old key stays in force too.
   * @returns How many values were wrapped anew. @throws SkilletError master_key_external, vault_unavailable
   */
  rotate(note: AuditNote): Promise<number>
}
