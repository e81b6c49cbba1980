import type { Database, Transaction, Value } from './database.ts'
import { makePrivateFile } from './private-file.ts'
import { Recollection } from './recollection.ts'
import { SqliteConnection } from './sqlite-connection.ts'
import { type Done, type Operation, attempt, perform } from './sqlite-operation.ts'
import { type WriteAheadLog, openWriteAheadLog } from './write-ahead-log.ts'

/** A batch ends after this many milliseconds, so that timers and sockets get their turn. */
const BATCH_MS = 8

/** Nothing that is not meant to write begins otherwise. */
const READS = /^\s*(SELECT|WITH)\b/

export interface SqliteOptions {
  /** Told how long the commit took until it was on disk, in milliseconds, and of how many operations it was. */
  readonly onCommit?: ((ms: number, operations: number) => void) | undefined
  /** Opens the log that is synced after each commit. Default: that of the file. */
  readonly openLog?: (file: string) => WriteAheadLog
}

/**
 * Opens a SQLite file with group commit: all transactions asked for while another is written become one on disk, each in a savepoint of its
 * own. An error undoes its own savepoint only; a commit that fails rejects them all. The main thread does not wait for the disk; but nobody
 * is told of anything, as the end of a transaction or by a query, before it is there: but for who asked to be told `onceWritten`. A disk that
 * fails to sync is not asked again: what it has is known only when the file is opened anew.
 */
export function openSqliteDatabase(file: string, options: SqliteOptions = {}): Database {
  const { onCommit, openLog = openWriteAheadLog } = options
  makePrivateFile(file)
  const writer = new SqliteConnection(file)
  // A second connection reads while a batch is open: it never sees what is not committed yet.
  const reader = new SqliteConnection(file, { readOnly: true })
  const recollection = new Recollection(writer)
  const log = writer.hasLog ? openLog(file) : null
  /** Of what is committed and not yet on disk. */
  let syncing: Promise<void> | null = null
  let lost: Error | null = null
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
      if (lost !== null) throw lost
      writer.run('BEGIN IMMEDIATE')
      while (next < batch.length && (next === 0 || performance.now() < until)) {
        const operation = batch[next++]!
        const end = await perform({ connection: writer, recollection }, operation, batch.length === 1)
        if (end !== null) done.push(end)
      }
      const began = performance.now()
      writer.run('COMMIT')
      recollection.ended()
      const synced = sync()
      for (const { written } of done) for (const hint of written) hint()
      await synced
      onCommit?.(performance.now() - began, done.length)
    } catch (error) {
      // Without a beginning nothing was tried; some errors (a full disk) undo the whole transaction and not one savepoint.
      const reason = undone(writer, error)
      recollection.ended()
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

  /** @throws when nobody knows any more what is on disk. */
  async function sync(): Promise<void> {
    if (log === null) return
    syncing = log.sync().catch((error: unknown) => {
      lost = new Error('The disk failed to keep what was written. Look after it, then start again.', { cause: error })
      throw lost
    })
    await syncing
    syncing = null
  }

  async function idle(): Promise<void> {
    if (flushing === null) return
    await flushing
    return idle()
  }

  /** What is on disk, as soon as it is. */
  function read<T>(sql: string, from: (connection: SqliteConnection) => T): Promise<T> {
    if (!READS.test(sql))
      return Promise.reject(new Error(`A query outside a transaction is readonly: ${sql.slice(0, 60)}`))
    // The writer's pages are warm; the reader looks at the file anew after each commit.
    const rows = attempt(() => from(writer.inTransaction ? reader : writer))
    return syncing === null || writer.inTransaction ? rows : syncing.then(() => rows)
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

    query: <Row>(sql: string, ...values: Value[]) => read(sql, (from) => from.all(sql, values) as Row[]),
    recall: <Row>(sql: string, ...values: Value[]) => read(sql, (from) => recollection.all(from, sql, values) as Row[]),

    close() {
      closing ??= (async () => {
        await idle()
        reader.close()
        writer.close()
        log?.close()
      })()
      return closing
    },
  }
}

/** Ends the transaction if it is still open, and says what to tell those who were in it. */
function undone(connection: SqliteConnection, error: unknown): unknown {
  try {
    if (connection.inTransaction) connection.run('ROLLBACK')
    return error
  } catch (second) {
    return new AggregateError([error, second], 'A transaction failed and could not be undone.')
  }
}
