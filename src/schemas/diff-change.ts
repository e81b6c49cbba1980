import type { ChangeLevel } from '../model/skills.ts'
import type { Place } from './places.ts'

export type Side = 'input' | 'output'

export interface SchemaChange {
  /** `/input` or `/output` and the JSON pointer of the place in the schema. */
  readonly path: string
  readonly what: string
  readonly level: ChangeLevel
}

/** How the set of accepted values moved. */
export type Direction = 'wider' | 'narrower' | 'unknown'

/** Two schemas of the same place, before and after. */
export interface Comparison {
  readonly side: Side
  readonly path: string
  readonly before: Place
  readonly after: Place
  /** Compares two places below this one; `below` is the pointer from here. */
  readonly relate: (before: Place, after: Place, below: string) => SchemaChange[]
}

/** Callers of an input gain when it accepts more; readers of an output gain when it promises more. */
export function change(at: Comparison, keyword: string, direction: Direction, what: string): SchemaChange {
  const harmless = direction === (at.side === 'input' ? 'wider' : 'narrower')
  return { path: keyword === '' ? at.path : `${at.path}/${keyword}`, what, level: harmless ? 'minor' : 'major' }
}
