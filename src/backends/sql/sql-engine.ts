import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Vault } from '../access-ports.ts'
import type { MasterKeys } from '../disk/master-key.ts'
import { NotReady } from '../../model/pulse.ts'
import type { EngineObserver } from '../observer.ts'
import type { Engine } from '../ports.ts'
import type { StateCopy } from '../upkeep-ports.ts'
import { createAccessStore } from './access-store.ts'
import { createActivityStore } from './activity-store.ts'
import { createAuditStore } from './audit-store.ts'
import { createCatalogueStore } from './catalogue-store.ts'
import type { Database } from './database.ts'
import { createLinkStore } from './link-store.ts'
import { migrate } from './migrations.ts'
import { lockDataFolder } from './owner-lock.ts'
import { readGauges } from './gauges.ts'
import { createQueueStore } from './queue-store.ts'
import { createQuotaStore } from './quota-store.ts'
import { createRunStore } from './run-store.ts'
import { createScheduleStore } from './schedule-store.ts'
import { createSecretStore } from './secret-store.ts'
import { createSigningStore } from './signing-store.ts'
import { createSkillStore } from './skill-store.ts'
import { copySqliteDatabase } from './sqlite-copy.ts'
import { openSqliteDatabase } from './sqlite-database.ts'
import { createUpkeepStore } from './upkeep-store.ts'
import { createSqlVault } from './vault.ts'
import { Watchers } from './watchers.ts'
import { createWebhookStore } from './webhook-store.ts'

/** Name of the database in the data folder. */
export const DATABASE_FILE = 'skillet.db'

/** An engine whose database can hold the values of secrets, too. */
export interface SqlEngine extends Engine {
  vault(keys: MasterKeys): Vault
}

/**
 * The engine on SQLite. This process owns the folder until `close`, or until it ends in whatever way.
 * @param options.folder Made when missing; readable by its owner only.
 * @throws DataFolderInUse when another process owns the folder; Error when the database was made by a newer Skillet.
 */
export async function openSqliteEngine(options: {
  folder: string
  signal?: AbortSignal
  observer?: EngineObserver
}): Promise<SqlEngine> {
  const { folder, signal, observer } = options
  signal?.throwIfAborted()
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  chmodSync(folder, 0o700)
  const lock = lockDataFolder(folder)
  let db: Database | null = null
  try {
    const file = join(folder, DATABASE_FILE)
    db = openSqliteDatabase(file, { onCommit: observer?.committed })
    await migrate(db)
    signal?.throwIfAborted()
    const copyTo = (copy: string): Promise<StateCopy> => copySqliteDatabase(file, copy)
    return createSqlEngine(db, { copyTo, onClosed: () => lock.release(), observer })
  } catch (error) {
    await db?.close()
    lock.release()
    throw error
  }
}

/** The engine on an open, migrated database. */
function createSqlEngine(
  db: Database,
  parts: {
    readonly copyTo: (file: string) => Promise<StateCopy>
    readonly onClosed: () => void
    readonly observer: EngineObserver | undefined
  },
): SqlEngine {
  const { copyTo, onClosed, observer } = parts
  const watchers = new Watchers(observer)
  let closing: Promise<void> | null = null
  return {
    access: createAccessStore(db),
    audit: createAuditStore(db),
    links: createLinkStore(db),
    secrets: createSecretStore(db),
    vault: (keys) => createSqlVault(db, keys),
    quotas: createQuotaStore(db),
    skills: createSkillStore(db, watchers),
    catalogue: createCatalogueStore(db),
    signing: createSigningStore(db),
    runs: createRunStore(db, watchers),
    queues: createQueueStore(db, watchers),
    schedules: createScheduleStore(db, watchers),
    webhooks: createWebhookStore(db, watchers),
    activity: createActivityStore(db, watchers),
    upkeep: createUpkeepStore(db, copyTo),

    gauges: () => readGauges(db),

    check: () => requireWritable(db),

    close() {
      closing ??= db.close().finally(onClosed)
      return closing
    },
  }
}

/** @throws NotReady */
async function requireWritable(db: Database): Promise<void> {
  try {
    // There and back: what changes nothing is not written by SQLite, and so it succeeds on a full disk.
    const written = await db.tx(async (t) => {
      await t.query('UPDATE schema_version SET version = version + 1')
      return t.query('UPDATE schema_version SET version = version - 1 RETURNING version')
    })
    const read = await db.query('SELECT version FROM schema_version')
    if (written.length !== 1 || read.length !== 1) throw new Error('The database has lost its schema version.')
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new NotReady(
      `The state cannot be read and written: ${why}`,
      'Make room on its disk, and let the server write there.',
    )
  }
}
