import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Value } from './database.ts'
import { type Dialect, sqliteDialect } from './dialect.ts'

/** The one file that knows node:sqlite: a connection with its prepared statements. */
export class SqliteConnection {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, { statement: StatementSync; returns: boolean }>()

  /** @param options.readOnly Reads what is committed. Default false. */
  constructor(file: string, options: { readOnly?: boolean } = {}) {
    this.#db = new DatabaseSync(file, { timeout: 5000 })
    this.#db.exec('PRAGMA journal_mode = WAL')
    // FULL: what was acknowledged survives a power cut. Group commit makes it nearly free (reference/engine.md 2).
    this.#db.exec('PRAGMA synchronous = FULL')
    this.#db.exec('PRAGMA foreign_keys = ON')
    this.#db.exec('PRAGMA temp_store = MEMORY')
    // 16 MB of each: the pages that every run touches stay in memory, and the log is copied back less often.
    this.#db.exec('PRAGMA cache_size = -16384')
    this.#db.exec('PRAGMA wal_autocheckpoint = 4096')
    this.#db.exec('PRAGMA journal_size_limit = 67108864')
    if (options.readOnly === true) this.#db.exec('PRAGMA query_only = ON')
  }

  get dialect(): Dialect {
    return sqliteDialect
  }

  get inTransaction(): boolean {
    return this.#db.isTransaction
  }

  all(sql: string, values: Value[]): unknown[] {
    let known = this.#statements.get(sql)
    if (known === undefined) {
      const statement = this.#db.prepare(this.dialect.placeholders(sql))
      known = { statement, returns: statement.columns().length > 0 }
      this.#statements.set(sql, known)
    }
    if (known.returns) return known.statement.all(...values)
    known.statement.run(...values)
    return []
  }

  run(sql: string): void {
    this.all(sql, [])
  }

  close(): void {
    this.#statements.clear()
    if (this.#db.isOpen) this.#db.close()
  }
}
