import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { STEADY, type Value } from './database.ts'
import { type Dialect, sqliteDialect } from './dialect.ts'

/** The one file that knows node:sqlite: a connection with its prepared statements. */
export class SqliteConnection {
  /** Whether a commit goes to a write-ahead log, and is on disk when that was synced. */
  readonly hasLog: boolean
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, Known>()
  /** Whether a `STEADY` table was written since this was last set to false. */
  steadyWritten = false

  /** @param options.readOnly Reads what is committed. Default false. */
  constructor(file: string, options: { readOnly?: boolean } = {}) {
    this.#db = new DatabaseSync(file, { timeout: 5000 })
    const mode = this.#db.prepare('PRAGMA journal_mode = WAL').get()?.['journal_mode']
    this.hasLog = mode === 'wal'
    // NORMAL: with a log SQLite syncs around checkpoints only. That commits are on disk before anybody is told of them is seen to by
    // whoever commits. A few file systems have no room for a log: there each commit syncs itself.
    this.#db.exec(`PRAGMA synchronous = ${this.hasLog ? 'NORMAL' : 'FULL'}`)
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

  /** How many statements stay prepared. */
  get prepared(): number {
    return this.#statements.size
  }

  get inTransaction(): boolean {
    return this.#db.isTransaction
  }

  all(sql: string, values: Value[]): unknown[] {
    const known = this.#known(sql)
    const rows = known.statement.all(...values) as unknown as Value[][]
    return rows.length === 0 ? rows : rows.map((row) => toObject(known, row))
  }

  /** @returns How many rows it changed. */
  change(sql: string, values: Value[]): number {
    return Number(this.#known(sql).statement.run(...values).changes)
  }

  #known(sql: string): Known {
    const known = this.#statements.get(sql) ?? this.#prepare(sql)
    if (known.writesSteady) this.steadyWritten = true
    return known
  }

  #prepare(sql: string): Known {
    const statement = this.#db.prepare(this.dialect.placeholders(sql))
    statement.setReturnArrays(true)
    const names = statement.columns().map(({ name }) => name)
    // Parsed, so that every row made from it has one and the same hidden class from the start.
    const empty = JSON.parse(JSON.stringify(Object.fromEntries(names.map((name) => [name, null])))) as Known['empty']
    const known = { statement, names, empty, writesSteady: WRITES_STEADY.test(sql) }
    // Lists of ids make ever other statements: who may see how many skills would be remembered for ever.
    if (this.#statements.size >= MOST_STATEMENTS) this.#statements.delete(this.#statements.keys().next().value!)
    if (sql.length <= MOST_CHARS) this.#statements.set(sql, known)
    return known
  }

  run(sql: string): void {
    this.all(sql, [])
  }

  close(): void {
    this.#statements.clear()
    if (this.#db.isOpen) this.#db.close()
  }
}

/** How many statements stay prepared, and of how many characters: the server's own are some hundred, and shorter. */
const MOST_STATEMENTS = 1000
const MOST_CHARS = 8000

/** A prepared statement. It returns arrays: rows made of them here cost a third of the objects that `node:sqlite` makes, and less to use. */
interface Known {
  readonly statement: StatementSync
  readonly names: readonly string[]
  readonly empty: Readonly<Record<string, Value>>
  readonly writesSteady: boolean
}

/** Whatever is neither a SELECT nor known to write elsewhere counts. */
const WRITES_STEADY = new RegExp(
  String.raw`^\s*(?!\s)(?:(?:INSERT INTO|UPDATE|DELETE FROM)\s+|(?!SELECT|INSERT INTO|UPDATE|DELETE FROM)[^]*\b)(?:${STEADY.join('|')})\b`,
)

function toObject({ names, empty }: Known, values: readonly Value[]): Record<string, Value> {
  const row = { ...empty }
  for (let i = 0; i < names.length; i++) row[names[i]!] = values[i]!
  return row
}
