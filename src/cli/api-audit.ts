import type { AuditAction, AuditEvent } from '../model/audit.ts'
import type { Page } from '../model/page.ts'
import type { ChainHead } from '../model/audit-chain.ts'
import type { Http } from './http.ts'

export interface AuditQuery {
  readonly action?: AuditAction | undefined
  readonly actor?: string | undefined
  readonly target?: string | undefined
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

/** Who did what. */
export const createAuditApi = ({ ok, lines }: Http) => ({
  listAudit: (query: AuditQuery): Promise<Page<AuditEvent>> => ok('GET', '/api/audit', { query: { ...query } }),
  auditHead: (): Promise<ChainHead> => ok('GET', '/api/audit/head'),
  /** JSON lines, oldest first. */
  exportAudit: (after: number): AsyncGenerator<string, void> => lines('/api/audit/export', { after }),
})
