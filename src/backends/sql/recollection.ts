import type { Value } from './database.ts'
import type { SqliteConnection } from './sqlite-connection.ts'

/** What was read of the steady tables, until one of them is written. One process owns the file: nobody else writes to it. */
export class Recollection {
  readonly #writer: SqliteConnection
  readonly #rows = new Map<string, readonly unknown[]>()

  constructor(writer: SqliteConnection) {
    this.#writer = writer
  }

  /** @param connection Where it is read unless it is known. Within a transaction that is the writer, which has to see what it wrote itself. */
  all(connection: SqliteConnection, sql: string, values: Value[]): readonly unknown[] {
    if (this.#writer.steadyWritten && connection === this.#writer) return connection.all(sql, values)
    const key = JSON.stringify([sql, values])
    const known = this.#rows.get(key)
    if (known !== undefined) return known
    const rows = connection.all(sql, values)
    if (this.#rows.size >= MOST) this.#rows.clear()
    this.#rows.set(key, rows)
    return rows
  }

  /** To be called when a transaction is over, whether it was kept or undone. */
  ended(): void {
    if (!this.#writer.steadyWritten) return
    this.#writer.steadyWritten = false
    this.#rows.clear()
  }
}

/** Answers that are kept, of a few hundred bytes each. */
const MOST = 2000
