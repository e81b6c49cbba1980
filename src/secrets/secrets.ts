import type { Caller } from '../model/access.ts'
import type { Page, PageOptions } from '../model/page.ts'
import type { Connection, Secret, SecretKind } from '../model/secrets.ts'

/** Secrets of tenants. Who may use them was decided before; values go in here and come out for a run alone. */
export interface SecretsService {
  /** @throws SkilletError name_taken, secret_invalid, vault_unavailable */
  create(caller: Caller, secret: { name: string; kind: SecretKind; value: string }): Promise<Secret>
  /** Newest first. */
  list(tenant: string, page: PageOptions): Promise<Page<Secret>>
  /** @throws SkilletError not_found */
  find(tenant: string, idOrName: string): Promise<Secret>
  /** Runs that begin from now on get the new value. @throws SkilletError not_found, secret_invalid, secret_changed, vault_unavailable */
  update(caller: Caller, idOrName: string, value: string): Promise<Secret>
  /** @throws SkilletError not_found; secret_in_use with data.stages */
  remove(caller: Caller, idOrName: string): Promise<void>
  /** New master key for all values. @returns How many were wrapped anew. @throws SkilletError master_key_external, vault_unavailable */
  rotate(caller: Caller): Promise<number>

  /**
   * Ids in place of names, for a stage's configuration.
   * @param refs NAME of an environment variable to id or name of a secret.
   * @throws SkilletError secret_unknown with a pointer for each that there is not
   */
  refer(tenant: string, refs: SecretRefs): Promise<Record<string, string>>
  /**
   * What a run gets. Without references nothing is looked up.
   * @param refs NAME of an environment variable to id of a secret.
   * @throws SkilletError secret_unknown, vault_unavailable
   */
  resolve(tenant: string, refs: SecretRefs): Promise<ResolvedSecrets>
}

export type SecretRefs = Readonly<Record<string, string>>

/** The secrets of one run. Kept no longer than it takes. */
export interface ResolvedSecrets {
  /** NAME to value: of all, also of connections, whose value is the URL. */
  readonly env: Readonly<Record<string, string>>
  /** NAME to the parts of the URL: of secrets of the kind `connection` alone. */
  readonly connections: Readonly<Record<string, Connection>>
  /** What must not be seen in a log: each value once, and the passwords of connections. Never empty texts. */
  readonly values: readonly string[]
  /** `<id>:<revision>` of all secrets, sorted, joined by commas: another value is another variant. Empty without references. */
  readonly variant: string
  /** Ids of the secrets, sorted: for the audit log. */
  readonly ids: readonly string[]
}
