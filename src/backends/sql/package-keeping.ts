import { summaryOf } from '../../model/catalogue.ts'
import type { Package } from '../../model/packages.ts'
import type { Database, Transaction } from './database.ts'

/** Once per tenant and digest; built anew for another runtime it takes the place of what there was. */
export async function keepPackage(t: Transaction, tenant: string, accepted: Package): Promise<void> {
  const kept = [
    JSON.stringify(accepted),
    JSON.stringify(summaryOf(accepted)),
    accepted.archive_blob,
    accepted.bundle_blob,
  ]
  const [added] = await t.query(
    `INSERT INTO packages (body, summary, archive_blob, bundle_blob, tenant, digest) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (tenant, digest) DO NOTHING RETURNING digest`,
    ...kept,
    tenant,
    accepted.digest,
  )
  if (added !== undefined) return
  const before = await findPackage(t, tenant, accepted.digest)
  if (before?.runtime === accepted.runtime) return
  await t.query(
    'UPDATE packages SET body = ?, summary = ?, archive_blob = ?, bundle_blob = ? WHERE tenant = ? AND digest = ?',
    ...kept,
    tenant,
    accepted.digest,
  )
}

export async function findPackage(
  db: Pick<Database, 'query'>,
  tenant: string,
  digest: string,
): Promise<Package | null> {
  const [row] = await db.query<{ body: string }>(
    'SELECT body FROM packages WHERE tenant = ? AND digest = ?',
    tenant,
    digest,
  )
  return row === undefined ? null : (JSON.parse(row.body) as Package)
}
