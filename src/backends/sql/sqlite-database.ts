import type { Database, Transaction, Value } from './database.ts'
import { makePrivateFile } from './private-file.ts'
import { SqliteConnection } from './sqlite-connection.ts'

/** A batch ends after this many milliseconds, so that timers and sockets get their turn. */
const BATCH_MS = 8

/** Nothing that is not meant to write begins otherwise. */
const READS = /^\s*(SELECT|WITH)\b/

interface Operation {
  readonly work: (t: Transaction) => Promise<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/** An operation whose work is done and that waits for the commit. */
interface Done {
  readonly operation: Operation
  readonly value: unknown
  readonly tell: readonly (() => void)[]
}

/**
 * Opens a SQLite file with group commit: all transactions asked for in one tick become one on disk, each in a savepoint of its own.
 * An error undoes its own savepoint only; a commit that fails rejects them all.
 * @param onCommit Told how long the commit took, in milliseconds, and of how many operations it was.
 */
export function openSqliteDatabase(file: string, onCommit?: (ms: number, operations: number) => void): Database {
  makePrivateFile(file)
  const writer = new SqliteConnection(file)
  // A second connection reads while a batch is open: it never sees what is not committed yet.
  const reader = new SqliteConnection(file, { readOnly: true })
  let waiting: Operation[] = []
  let flushing: Promise<void> | null = null
  let closing: Promise<void> | null = null

  function schedule(): void {
    flushing ??= new Promise<void>((resolve) => {
      setImmediate(() => {
        void flush().then(() => {
          flushing = null
          if (waiting.length > 0) schedule()
          resolve()
        })
      })
    })
  }

  /** Never rejects: every failure goes to those whose work it undid. */
  async function flush(): Promise<void> {
    const batch = waiting
    waiting = []
    const done: Done[] = []
    const until = performance.now() + BATCH_MS
    let next = 0
    try {
      writer.run('BEGIN IMMEDIATE')
      while (next < batch.length && (next === 0 || performance.now() < until)) {
        const operation = batch[next++]!
        const end = await perform(writer, operation)
        if (end !== null) done.push(end)
      }
      const began = performance.now()
      writer.run('COMMIT')
      onCommit?.(performance.now() - began, done.length)
    } catch (error) {
      // Without a beginning nothing was tried; some errors (a full disk) undo the whole transaction and not one savepoint.
      const reason = undone(writer, error)
      for (const { operation } of done) operation.reject(reason)
      if (next === 0) for (const operation of batch) operation.reject(reason)
      waiting = [...(next === 0 ? [] : batch.slice(next)), ...waiting]
      return
    }
    waiting = [...batch.slice(next), ...waiting]
    for (const { operation, value, tell } of done) {
      operation.resolve(value)
      for (const hint of tell) hint()
    }
  }

  async function idle(): Promise<void> {
    if (flushing === null) return
    await flushing
    return idle()
  }

  return {
    dialect: writer.dialect,

    tx<T>(work: (t: Transaction) => Promise<T>): Promise<T> {
      if (closing !== null) return Promise.reject(new Error('The database is closed.'))
      const { promise, resolve, reject } = Promise.withResolvers<T>()
      waiting.push({ work, resolve: resolve as Operation['resolve'], reject })
      schedule()
      return promise
    },

    query<Row>(sql: string, ...values: Value[]): Promise<Row[]> {
      if (!READS.test(sql))
        return Promise.reject(new Error(`A query outside a transaction is readonly: ${sql.slice(0, 60)}`))
      // The writer's pages are warm; the reader looks at the file anew after each commit.
      return attempt(() => (writer.inTransaction ? reader : writer).all(sql, values) as Row[])
    },

    close() {
      closing ??= (async () => {
        await idle()
        reader.close()
        writer.close()
      })()
      return closing
    },
  }
}

/** One operation in its savepoint. Null: it failed, was undone and told. @throws when the whole transaction is gone. */
async function perform(connection: SqliteConnection, operation: Operation): Promise<Done | null> {
  const tell: (() => void)[] = []
  let open = true
  let depth = 0

  async function savepoint<T>(work: () => Promise<T>): Promise<T> {
    if (!connection.inTransaction) throw new Error(GONE)
    const name = `s${depth++}`
    const told = tell.length
    connection.run(`SAVEPOINT ${name}`)
    try {
      const value = await work()
      connection.run(`RELEASE ${name}`)
      return value
    } catch (error) {
      tell.length = told
      if (connection.inTransaction) {
        connection.run(`ROLLBACK TO ${name}`)
        connection.run(`RELEASE ${name}`)
      }
      throw error
    } finally {
      depth--
    }
  }

  const t: Transaction = {
    dialect: connection.dialect,
    query: <Row>(sql: string, ...values: Value[]) =>
      attempt(() => {
        if (!open) throw new Error('This transaction has ended: await every query inside it.')
        // Some errors (a full disk) undo more than their savepoint: whoever goes on after one would write by itself.
        if (!connection.inTransaction) throw new Error(GONE)
        return connection.all(sql, values) as Row[]
      }),
    savepoint,
    afterCommit: (hint) => tell.push(hint),
  }

  const foreign = Promise.withResolvers<never>()
  // Queries settle within this turn of the event loop; whoever is not done by the next waits for something else, with the write lock held.
  const watch = setImmediate(() => {
    foreign.reject(new Error('A transaction awaited something other than its own queries; it was undone.'))
  })
  try {
    const value = await savepoint(() => Promise.race([operation.work(t), foreign.promise]))
    return { operation, value, tell }
  } catch (error) {
    operation.reject(error)
    if (!connection.inTransaction) throw error
    return null
  } finally {
    open = false
    clearImmediate(watch)
  }
}

const GONE = 'The transaction was undone as a whole.'

/** Ends the transaction if it is still open, and says what to tell those who were in it. */
function undone(connection: SqliteConnection, error: unknown): unknown {
  try {
    if (connection.inTransaction) connection.run('ROLLBACK')
    return error
  } catch (second) {
    return new AggregateError([error, second], 'A transaction failed and could not be undone.')
  }
}

/** A synchronous call as a promise: what it throws becomes a rejection. */
function attempt<T>(call: () => T): Promise<T> {
  try {
    return Promise.resolve(call())
  } catch (error) {
    return Promise.reject(error)
  }
}
