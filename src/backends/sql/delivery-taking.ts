import type { DeliveryClaim, WebhookStore } from '../flow-ports.ts'
import type { Database, Queries, Transaction } from './database.ts'
import { literal, oneOf } from './page.ts'
import type { Watchers } from './watchers.ts'
import { cancelStranded } from './webhook-ending.ts'
import { DELIVERY_COLUMNS, type DeliveryRow, type WebhookRow, toDelivery, toWebhook } from './webhook-rows.ts'

type DeliveryTaking = Pick<WebhookStore, 'takeDeliveries' | 'recoverDeliveries' | 'nextDelivery'>

/**
 * Deliveries are looked for by endpoint: each webhook knows from when on one of its deliveries may be due, so that an endpoint without
 * room is passed over in one step. A lease moves `due` ahead; its token changes with every claim and counts up only.
 */
export function createDeliveryTaking(db: Database, watchers: Watchers): DeliveryTaking {
  return {
    async takeDeliveries(count, leaseMs, room) {
      if (count < 1) return []
      return db.tx(async (t) => {
        const at = Date.now()
        const claims: DeliveryClaim[] = []
        const seen = new Set<string>()
        const taken = new Map<string, number>()
        for await (const { stage, tenant } of endpoints(t, at, room.full())) {
          const ofTenant = taken.get(tenant) ?? 0
          const most = Math.min(count - claims.length, room.endpoint(stage), room.tenant(tenant) - ofTenant)
          // What was taken of it moved it to a later place, where it is met again.
          if (most < 1 || seen.has(stage)) continue
          seen.add(stage)
          const found = await lease(t, stage, most, { at, until: at + leaseMs })
          claims.push(...found)
          taken.set(tenant, ofTenant + found.length)
          if (claims.length >= count) break
        }
        return claims
      })
    },

    async recoverDeliveries() {
      await cancelStranded(db)
      return db.tx(async (t) => {
        const at = Date.now()
        const rows = await t.query<{ stage: string }>(
          `UPDATE deliveries SET due = ?, leased = 0, token = token + 1 WHERE status = 'pending' AND leased = 1 RETURNING stage`,
          at,
        )
        for (const stage of new Set(rows.map((row) => row.stage))) await dueFrom(t, stage, at)
        if (rows.length > 0) watchers.deliveriesChanged(t)
        return rows.length
      })
    },

    async nextDelivery(room) {
      for await (const { due, stage, tenant } of endpoints(db, null, room.full())) {
        if (room.endpoint(stage) > 0 && room.tenant(tenant) > 0) return due
      }
      return null
    },
  }
}

/** The webhook has a delivery that is due then. */
export async function dueFrom(t: Transaction, stage: string, due: number): Promise<void> {
  await t.query(
    'UPDATE webhooks SET due = ? WHERE stage = ? AND enabled = 1 AND (due IS NULL OR due > ?)',
    due,
    stage,
    due,
  )
}

/** So many webhooks are looked at with one statement. */
const PAGE = 256

interface Endpoint {
  readonly due: number
  readonly stage: string
  readonly tenant: string
}

/** Webhooks with deliveries that may be due, the longest due first; all is read from an index. @param until Null: those that will be, too. @param full Tenants of which none is. */
async function* endpoints(
  from: Queries,
  until: number | null,
  full: readonly string[],
): AsyncGenerator<Endpoint, void> {
  let last: Pick<Endpoint, 'due' | 'stage'> = { due: -1, stage: '' }
  for (;;) {
    const page = await from.query<Endpoint>(
      `SELECT due, stage, tenant FROM webhooks WHERE due IS NOT NULL AND (due, stage) > (?, ?) ${until === null ? '' : 'AND due <= ?'}
       ${full.length === 0 ? '' : `AND NOT ${oneOf('tenant', full)}`} ORDER BY due, stage LIMIT ${literal(PAGE)}`,
      last.due,
      last.stage,
      ...(until === null ? [] : [until]),
      ...full,
    )
    yield* page
    if (page.length < PAGE) return
    last = page.at(-1)!
  }
}

async function lease(
  t: Transaction,
  stage: string,
  most: number,
  { at, until }: { readonly at: number; readonly until: number },
): Promise<DeliveryClaim[]> {
  const rows = await t.query<DeliveryRow & { payload: string }>(
    `SELECT ${DELIVERY_COLUMNS}, payload FROM deliveries WHERE stage = ? AND status = 'pending' AND due <= ?
     ORDER BY due LIMIT ${literal(most)}${t.dialect.skipLocked}`,
    stage,
    at,
  )
  for (const { id, token } of rows) {
    await t.query('UPDATE deliveries SET due = ?, leased = 1, token = ? WHERE id = ?', until, token + 1, id)
  }
  const [webhook] = await t.query<WebhookRow>(
    `UPDATE webhooks SET due = (SELECT min(d.due) FROM deliveries d WHERE d.stage = webhooks.stage AND d.status = 'pending')
     WHERE stage = ? RETURNING *`,
    stage,
  )
  return rows.map((row) => ({
    delivery: toDelivery(row),
    token: row.token + 1,
    attempt: row.tries + 1,
    webhook: toWebhook(webhook!),
    payload: row.payload,
  }))
}
