/**
 * All that two SQL databases need said differently. Statements are written once, in the common ground: `?` for values, RETURNING,
 * ON CONFLICT … WHERE, partial indexes, text and whole numbers only.
 */
export interface Dialect {
  readonly name: string
  /**
   * What DDL writes as `{big}`: 64-bit integer, key that counts up by itself, text compared byte by byte; and, after a table, that its
   * rows lie in the order of its primary key, where the database has to be told; and, after a text, that it is JSON to take apart.
   */
  readonly types: Readonly<Record<'big' | 'serial' | 'ascii' | 'clustered' | 'json', string>>
  /** Ends a subquery that picks rows to claim, so that claimers do not wait for one another. */
  readonly skipLocked: string
  /** Ends a query of a row that nobody else may change until the transaction is over. */
  readonly held: string
  /** Turns `?` into what the driver expects. */
  placeholders(sql: string): string
}

export const sqliteDialect: Dialect = {
  name: 'sqlite',
  types: { big: 'integer', serial: 'integer primary key', ascii: 'text', clustered: ' WITHOUT ROWID', json: '' },
  // One process owns the file and writes one transaction at a time: there is nobody to skip.
  skipLocked: '',
  held: '',
  placeholders: (sql) => sql,
}

/** DDL with the dialect's words. */
export function ddl(sql: string, { types }: Dialect): string {
  return sql.replaceAll(/\{(\w+)\}/g, (all, name: string) => types[name as keyof typeof types] ?? all)
}
