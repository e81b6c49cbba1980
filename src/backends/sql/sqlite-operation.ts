import type { Transaction, Value } from './database.ts'
import type { Recollection } from './recollection.ts'
import type { SqliteConnection } from './sqlite-connection.ts'

/**
 * One operation in its savepoint, or without one where it is alone in the transaction. Null: it failed, was undone and told.
 * @throws when the whole transaction is gone.
 */
export async function perform(
  { connection, recollection }: { readonly connection: SqliteConnection; readonly recollection: Recollection },
  operation: Operation,
  alone: boolean,
): Promise<Done | null> {
  const tell: (() => void)[] = []
  const written: (() => void)[] = []
  let open = true
  let depth = 0
  /** What undid the whole transaction: it is what everybody in it is told, whatever became of it in the operation. */
  let fatal: unknown

  async function savepoint<T>(work: () => Promise<T>): Promise<T> {
    if (!connection.inTransaction) throw new Error(GONE)
    const name = `s${depth++}`
    const [told, toldEarly] = [tell.length, written.length]
    connection.run(`SAVEPOINT ${name}`)
    try {
      const value = await work()
      connection.run(`RELEASE ${name}`)
      return value
    } catch (error) {
      tell.length = told
      written.length = toldEarly
      if (connection.inTransaction) {
        connection.run(`ROLLBACK TO ${name}`)
        connection.run(`RELEASE ${name}`)
      }
      throw error
    } finally {
      depth--
    }
  }

  function within<T>(read: () => T): Promise<T> {
    return attempt(() => {
      if (!open) throw new Error('This transaction has ended: await every query inside it.')
      // Some errors (a full disk) undo more than their savepoint: whoever goes on after one would write by itself.
      if (!connection.inTransaction) throw new Error(GONE)
      try {
        return read()
      } catch (error) {
        if (!connection.inTransaction) fatal ??= error
        throw error
      }
    })
  }

  const t: Transaction = {
    dialect: connection.dialect,
    query: <Row>(sql: string, ...values: Value[]) => within(() => connection.all(sql, values) as Row[]),
    change: (sql: string, ...values: Value[]) => within(() => connection.change(sql, values)),
    recall: <Row>(sql: string, ...values: Value[]) => within(() => recollection.all(connection, sql, values) as Row[]),
    savepoint,
    onceWritten: (hint) => written.push(hint),
    afterCommit: (hint) => tell.push(hint),
  }

  const foreign = Promise.withResolvers<never>()
  // Queries settle within this turn of the event loop; whoever is not done by the next waits for something else, with the write lock held.
  const watch = setImmediate(() => {
    foreign.reject(new Error('A transaction awaited something other than its own queries; it was undone.'))
  })
  try {
    const work = (): Promise<unknown> => Promise.race([operation.work(t), foreign.promise])
    const value = await (alone ? work() : savepoint(work))
    if (!connection.inTransaction) throw new Error(GONE)
    return { operation, value, written, tell }
  } catch (error) {
    const reason = fatal ?? error
    operation.reject(reason)
    if (alone && connection.inTransaction) connection.run('ROLLBACK')
    if (!connection.inTransaction) throw reason
    return null
  } finally {
    open = false
    clearImmediate(watch)
  }
}

const GONE = 'The transaction was undone as a whole.'

/** What was asked for, and who is told how it ended. */
export interface Operation {
  readonly work: (t: Transaction) => Promise<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/** An operation whose work is done and that waits for the commit. */
export interface Done {
  readonly operation: Operation
  readonly value: unknown
  readonly written: readonly (() => void)[]
  readonly tell: readonly (() => void)[]
}

/** A synchronous call as a promise: what it throws becomes a rejection. */
export function attempt<T>(call: () => T): Promise<T> {
  try {
    return Promise.resolve(call())
  } catch (error) {
    return Promise.reject(error)
  }
}
