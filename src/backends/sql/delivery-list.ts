import { SkilletError } from '../../model/errors.ts'
import type { Delivery } from '../../model/webhooks.ts'
import type { WebhookStore } from '../flow-ports.ts'
import { writeAudit } from './audit-log.ts'
import type { Database } from './database.ts'
import { onlyThese } from './only.ts'
import { pageById } from './page.ts'
import type { Watchers } from './watchers.ts'
import { DELIVERY_COLUMNS, type DeliveryRow, toDelivery } from './webhook-rows.ts'

type DeliveryList = Pick<WebhookStore, 'listDeliveries' | 'findDelivery' | 'redeliver'>

/** Deliveries as people look at them. */
export function createDeliveryList(db: Database, watchers: Watchers): DeliveryList {
  return {
    listDeliveries(tenant, filter) {
      const { skill, stage, run, status } = filter
      const parts: [string, string | undefined][] = [
        ['tenant = ?', tenant],
        ['skill = ?', skill],
        ['stage = ?', stage],
        ['run = ?', run],
        ['status = ?', status],
      ]
      const given = parts.filter((part): part is [string, string] => part[1] !== undefined)
      const where = given.map(([text]) => text)
      const values = given.map(([, value]) => value)
      // Says that the index of those has it.
      if (status !== undefined && status !== 'delivered') where.push(`status <> 'delivered'`)
      if (filter.only !== undefined) {
        const only = onlyThese(tenant, filter.only)
        where.push(only.where)
        values.push(...only.values)
      }
      const select = `SELECT ${DELIVERY_COLUMNS} FROM deliveries WHERE ${where.join(' AND ')}`
      return pageById<DeliveryRow, Delivery>(db, select, values, filter, toDelivery)
    },

    async findDelivery(tenant, id) {
      const [row] = await db.query<DeliveryRow & { payload: string }>(
        `SELECT ${DELIVERY_COLUMNS}, payload FROM deliveries WHERE id = ? AND tenant = ?`,
        id,
        tenant,
      )
      return row === undefined ? null : { delivery: toDelivery(row), payload: row.payload }
    },

    redeliver(tenant, id, note) {
      return db.tx(async (t) => {
        const [before] = await t.query<DeliveryRow>(
          `SELECT ${DELIVERY_COLUMNS} FROM deliveries WHERE id = ? AND tenant = ?`,
          id,
          tenant,
        )
        if (before === undefined) return null
        if (before.status === 'pending') throw refused(id, 'is pending')
        const at = Date.now()
        const [webhook] = await t.query(
          `UPDATE webhooks SET due = CASE WHEN due < ? THEN due ELSE ? END WHERE stage = ? AND enabled = 1 RETURNING stage`,
          at,
          at,
          before.stage,
        )
        if (webhook === undefined) throw refused(id, 'belongs to a stage that has no webhook which is enabled')
        const [after] = await t.query<DeliveryRow>(
          `UPDATE deliveries SET status = 'pending', reason = NULL, tries = 0, due = ?, leased = 0, token = token + 1, finished_at = NULL
           WHERE id = ? RETURNING ${DELIVERY_COLUMNS}`,
          at,
          id,
        )
        const [was, is] = [toDelivery(before), toDelivery(after!)]
        await writeAudit(t, note, { before: was, after: is })
        watchers.deliveriesChanged(t)
        return is
      })
    },
  }
}

function refused(id: string, why: string): SkilletError {
  return new SkilletError('not_redeliverable', `Delivery "${id}" ${why}.`)
}
