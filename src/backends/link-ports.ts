import type { Tenant } from '../model/access.ts'
import type { AuditNote } from '../model/audit.ts'
import type { Link } from '../model/links.ts'
import type { Page, PageOptions } from '../model/page.ts'

/** URLs through which skills are fetched without a key. */
export interface LinkStore {
  createLink(link: Link, tokenHash: string, note: AuditNote): Promise<void>
  /** By SHA-256 (hex) of the whole token, with its tenant. Revoked and expired links are returned too: the caller refuses them. */
  findLinkByHash(tokenHash: string): Promise<{ readonly link: Link; readonly tenant: Tenant } | null>
  findLink(tenant: string, id: string): Promise<Link | null>
  /** Newest first, revoked and expired ones too. */
  listLinks(tenant: string, page: PageOptions): Promise<Page<Link>>
  /** Revoking it again changes nothing. Null: there is none. */
  revokeLink(tenant: string, id: string, at: string, note: AuditNote): Promise<Link | null>
  /** When links were last used; never moves back. */
  touchLinks(uses: readonly { readonly id: string; readonly at: string }[]): Promise<void>
}
