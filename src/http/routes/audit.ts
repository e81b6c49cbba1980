import { z } from 'zod'
import type { AuditStore } from '../../backends/access-ports.ts'
import { AuditAction, AuditEvent } from '../../model/audit.ts'
import { CHAIN_START } from '../../model/audit-chain.ts'
import { sharedTurn } from '../../model/shared-turn.ts'
import { PageQuery, pageOf } from '../pages.ts'
import { type Route, route } from '../route.ts'
import type { Services } from '../services.ts'

/** How many rows are read at once for an export. */
const ROWS = 200

export const auditRoutes = ({ audit }: Pick<Services, 'audit'>): Route[] => [
  route({
    id: 'listAudit',
    tag: 'audit',
    method: 'GET',
    path: '/api/audit',
    access: 'audit.read',
    summary: 'List who did what, newest first',
    query: PageQuery.extend({
      action: AuditAction.optional(),
      actor: z.string().max(300).optional().meta({ description: 'Id of the key or token.' }),
      target: z.string().max(300).optional().meta({ description: 'Id of what it was done to.' }),
    }),
    responses: { 200: { description: 'One page.', schema: pageOf(AuditEvent) } },
    errors: [],
    handle: async ({ caller, query }) => ({ status: 200, body: await audit.list(caller.tenant, query) }),
  }),
  route({
    id: 'exportAudit',
    tag: 'audit',
    method: 'GET',
    path: '/api/audit/export',
    access: 'audit.read',
    summary: 'Stream the audit log as JSON lines, oldest first',
    query: z.strictObject({
      after: z.coerce.number().int().min(0).default(0).meta({ description: 'Only rows after this number. Default 0.' }),
    }),
    responses: { 200: { description: 'One AuditEvent a line.', also: { 'application/x-ndjson': AuditEvent } } },
    errors: [],
    handle: ({ caller, query }) => ({
      status: 200,
      type: 'application/x-ndjson',
      stream: jsonLines(audit, caller.tenant, query.after),
    }),
  }),
  route({
    id: 'getAuditHead',
    tag: 'audit',
    method: 'GET',
    path: '/api/audit/head',
    access: 'audit.read',
    summary: 'Show what the last row of the audit log must be',
    description: 'Kept elsewhere, it proves later that nothing before it was changed or cut off.',
    responses: {
      200: {
        description: 'Number and hash of the last row; 0 and 64 zeros before the first.',
        schema: z.object({ seq: z.number().int(), hash: z.string() }),
      },
    },
    errors: [],
    handle: async ({ caller }) => ({ status: 200, body: (await audit.head(caller.tenant)) ?? CHAIN_START }),
  }),
]

/** Rows are read as the client takes them. */
function jsonLines(audit: Pick<AuditStore, 'read'>, tenant: string, from: number): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let after = from
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        // A fast client is never waited for.
        await sharedTurn()
        const rows = await audit.read(tenant, after, ROWS)
        if (rows.length === 0) return controller.close()
        after = rows.at(-1)!.seq
        controller.enqueue(encoder.encode(rows.map((row) => `${JSON.stringify(row)}\n`).join('')))
      },
    },
    { highWaterMark: 0 },
  )
}
