import type { AuditNote } from '../../model/audit.ts'
import { SkilletError } from '../../model/errors.ts'
import type { Vault } from '../access-ports.ts'
import type { MasterKey, MasterKeys } from '../disk/master-key.ts'
import { writeAudit } from './audit-log.ts'
import type { Database, Queries } from './database.ts'
import { type Envelope, type Place, rewrap, seal, unseal } from './envelope.ts'
import { literal } from './page.ts'

interface VaultRow extends Place, Envelope {
  /** Id of the master key that wraps its data key. */
  readonly master: string
}

/** How many values are wrapped anew in one transaction. */
const BATCH = 100

/** Values in the table `vault`, each under a data key of its own. What is in the database is worth nothing without the master key. */
export function createSqlVault(db: Database, keys: MasterKeys): Vault {
  let rotation: Promise<number> | null = null

  async function rotate(note: AuditNote): Promise<number> {
    await requireKnown(db, keys)
    await keys.begin()
    let count = 0
    for (;;) {
      count += await rewrapAll(db, keys)
      if (await endRotation(db, keys, note)) break
    }
    await keys.finish()
    return count
  }

  return {
    put(path, revision, value) {
      return db.tx(async (t) => {
        // Sealed within the transaction: one that comes after a rotation's last look uses the new key for certain.
        const { id, bytes } = keys.current()
        const { wrapped, sealed } = seal({ path, revision }, value, bytes)
        await t.query(
          `INSERT INTO vault (path, revision, master, wrapped, sealed) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (path, revision) DO UPDATE SET master = excluded.master, wrapped = excluded.wrapped, sealed = excluded.sealed`,
          path,
          revision,
          id,
          wrapped,
          sealed,
        )
      })
    },

    async get(path, revision) {
      const [row] = await db.query<VaultRow>('SELECT * FROM vault WHERE path = ? AND revision = ?', path, revision)
      if (row === undefined) throw new Error(`The vault has no revision ${revision} of "${path}".`)
      return opened(row, keys, (master) => unseal(row, row, master))
    },

    prune(path, keep) {
      return db.tx(async (t) => {
        // Revisions begin at 1.
        await t.query('DELETE FROM vault WHERE path = ? AND revision <> ?', path, keep ?? 0)
      })
    },

    async check() {
      for (const master of await mastersIn(db)) {
        const [row] = await db.query<VaultRow>('SELECT * FROM vault WHERE master = ? LIMIT 1', master)
        // It may have been wrapped anew just now.
        if (row !== undefined) opened(row, keys, (key) => unseal(row, row, key))
      }
    },

    async rotate(note) {
      if (rotation !== null) throw new SkilletError('vault_unavailable', 'The master key is being rotated already.')
      rotation = rotate(note).finally(() => (rotation = null))
      return rotation
    },
  }
}

/** @throws SkilletError vault_unavailable when the key is not here, or is not the one. */
function opened<T>(row: VaultRow, keys: MasterKeys, open: (master: Uint8Array) => T): T {
  const { path, revision, master } = row
  const key = keys.find(master)
  if (key === null) throw sealedElsewhere(master)
  try {
    return open(key.bytes)
  } catch (error) {
    throw new SkilletError('vault_unavailable', `Revision ${revision} of "${path}" cannot be opened.`, { cause: error })
  }
}

/** @throws SkilletError vault_unavailable */
async function requireKnown(db: Queries, keys: MasterKeys): Promise<void> {
  for (const master of await mastersIn(db)) if (keys.find(master) === null) throw sealedElsewhere(master)
}

function sealedElsewhere(master: string): SkilletError {
  return new SkilletError('vault_unavailable', `Values are sealed under master key ${master}, which is not here.`)
}

/** Ids of the master keys in use: one step into the index for each, however many values there are. */
async function mastersIn(db: Queries): Promise<string[]> {
  const found: string[] = []
  for (;;) {
    const [row] = await db.query<{ master: string | null }>(
      'SELECT MIN(master) AS master FROM vault WHERE master > ?',
      found.at(-1) ?? '',
    )
    if (row === undefined || row.master === null) return found
    found.push(row.master)
  }
}

/** All that other keys wrap, batch by batch: whatever else the server does goes on in between. */
async function rewrapAll(db: Database, keys: MasterKeys): Promise<number> {
  const to = keys.current()
  let count = 0
  for (const master of await mastersIn(db)) {
    if (master === to.id) continue
    for (;;) {
      const rows = await db.query<VaultRow>(`SELECT * FROM vault WHERE master = ? LIMIT ${literal(BATCH)}`, master)
      if (rows.length === 0) break
      count += await rewrapRows(db, rows, keys, to)
    }
  }
  return count
}

async function rewrapRows(db: Database, rows: VaultRow[], keys: MasterKeys, to: MasterKey): Promise<number> {
  const fresh = rows.map((row) => opened(row, keys, (from) => rewrap(row, row.wrapped, from, to.bytes)))
  return db.tx(async (t) => {
    let count = 0
    for (const [i, { path, revision, wrapped }] of rows.entries()) {
      // One that was replaced meanwhile has another data key, and is looked at again if need be.
      const done = await t.query(
        'UPDATE vault SET master = ?, wrapped = ? WHERE path = ? AND revision = ? AND wrapped = ? RETURNING revision',
        to.id,
        fresh[i]!,
        path,
        revision,
        wrapped,
      )
      count += done.length
    }
    return count
  })
}

/** Whether nothing is left under another key; if so it is written down. */
async function endRotation(db: Database, keys: MasterKeys, note: AuditNote): Promise<boolean> {
  const { id } = keys.current()
  return db.tx(async (t) => {
    const masters = await mastersIn(t)
    if (masters.some((master) => master !== id)) return false
    await writeAudit(t, note)
    return true
  })
}
