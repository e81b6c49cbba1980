import type { Dialect } from './dialect.ts'

/** What is stored: text (JSON and instants too), whole and real numbers. Booleans are 0 and 1. */
export type Value = string | number | null

export interface Queries {
  /** Rows that the statement returns; none for one that returns nothing. */
  query<Row>(sql: string, ...values: Value[]): Promise<Row[]>
  /** As `query`, of nothing but `STEADY` tables: what is known of them need not be read again until one of them is written. */
  recall<Row>(sql: string, ...values: Value[]): Promise<readonly Readonly<Row>[]>
}

/** Every run asks for what is in them, and few write to them. */
export const STEADY = ['tenants', 'skills', 'stages', 'quotas'] as const

export interface Transaction extends Queries {
  readonly dialect: Dialect
  /** How many rows a statement changed. Costs less than to have it return them. */
  change(sql: string, ...values: Value[]): Promise<number>
  /** What `work` wrote is undone when it throws, and only that: the transaction goes on. */
  savepoint<T>(work: () => Promise<T>): Promise<T>
  /**
   * Called once no end of this process can undo the transaction any more. Only the machine's could, until it is on disk: nobody outside is
   * to be told of it yet. Must not throw.
   */
  onceWritten(tell: () => void): void
  /** For hints: called once the transaction is durable. Must not throw. */
  afterCommit(tell: () => void): void
}

/** A connection to one SQL database. `query` reads what is committed, outside any transaction. */
export interface Database extends Queries {
  readonly dialect: Dialect
  /**
   * Durable when it resolves, undone when `work` throws.
   * @param work May await its transaction's queries and nothing else: others' transactions stand behind it.
   */
  tx<T>(work: (t: Transaction) => Promise<T>): Promise<T>
  /** Lets transactions under way end. May be called twice. */
  close(): Promise<void>
}
