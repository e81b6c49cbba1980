import type { AuditNote } from '../model/audit.ts'
import type { SigningKey } from '../model/signatures.ts'

/** Public halves of tenants' signing keys, and where in the vault the private ones are. */
export interface SigningStore {
  /** The one that signs now; null: there is none yet. */
  activeKey(tenant: string): Promise<{ readonly key: SigningKey; readonly path: string } | null>
  /** All that a tenant ever had, newest first: what they signed goes on holding. */
  signingKeys(tenant: string): Promise<SigningKey[]>
  /**
   * The key signs from now on, and the one before it is retired.
   * @param replaces Id of the key that was active when this was asked for; null: there was none.
   * @returns False, and nothing is changed, when that is not so any more.
   */
  addSigningKey(key: SigningKey, path: string, replaces: string | null, note: AuditNote): Promise<boolean>
}
