/** 1-based line of the file, and 1-based column in UTF-16 units. */
export interface Place {
  readonly line: number
  readonly column: number
}
