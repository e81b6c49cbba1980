import { APPLICATORS, type Dialect } from './dialects.ts'

/** One subschema: where it is, what is below it, and what it refers to. */
export interface Place {
  /** No other place of the schema has it. */
  readonly id: number
  /**
   * JSON pointer from the root of the schema. For people: a name in it may have a hundred thousand characters, and the places below each
   * repeat it. No key of a table: texts of more than 16,383 characters with the same length have the same hash.
   */
  readonly pointer: string
  readonly schema: unknown
  readonly children: Child[]
  /** The place that `$ref` names; null without one or where it names no local schema. */
  target: Place | null
}

export interface Child {
  readonly keyword: string
  /** Index or property name below the keyword; null when the keyword holds the schema itself. */
  readonly key: string | null
  readonly place: Place
  readonly inPlace: boolean
  readonly definition: boolean
}

export type SchemaObject = Record<string, unknown>

export const isObject = (value: unknown): value is SchemaObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The value of an own keyword: an inherited name such as `constructor` is none. */
export function own(schema: SchemaObject, keyword: string): unknown {
  return Object.hasOwn(schema, keyword) ? schema[keyword] : undefined
}

export const escapeSegment = (segment: string): string => segment.replaceAll('~', '~0').replaceAll('/', '~1')

/** Every subschema of a schema, the root first, with local references resolved. Expects a schema of limited depth. */
export function indexPlaces(schema: unknown, dialect: Dialect): readonly [Place, ...Place[]] {
  const places: Place[] = []
  const anchors = new Map<string, Place>()
  const root = visit(schema, '', dialect, places, anchors)
  const tables: Tables = new Map()
  for (const place of places) {
    const ref = isObject(place.schema) ? own(place.schema, '$ref') : undefined
    if (typeof ref === 'string') place.target = resolve(ref, root, tables, anchors)
  }
  return [root, ...places.slice(1)]
}

function visit(
  schema: unknown,
  pointer: string,
  dialect: Dialect,
  places: Place[],
  anchors: Map<string, Place>,
): Place {
  const place: Place = { id: places.length, pointer, schema, children: [], target: null }
  places.push(place)
  if (!isObject(schema)) return place
  const anchor = anchorOf(schema, dialect)
  if (anchor !== null && !anchors.has(anchor)) anchors.set(anchor, place)
  for (const [keyword, spec] of APPLICATORS[dialect]) {
    const held = own(schema, keyword)
    for (const [key, sub] of subschemas(held, spec.role)) {
      const below = `${pointer}/${keyword}${key === null ? '' : `/${escapeSegment(key)}`}`
      const child = visit(sub, below, dialect, places, anchors)
      place.children.push({
        keyword,
        key,
        place: child,
        inPlace: spec.inPlace === true,
        definition: spec.definition === true,
      })
    }
  }
  return place
}

function subschemas(held: unknown, role: string): [string | null, unknown][] {
  if (held === undefined) return []
  if (Array.isArray(held)) {
    return role === 'list' || role === 'schema-or-list' ? held.map((sub, index) => [String(index), sub]) : []
  }
  if (role === 'schema' || role === 'schema-or-list') return [[null, held]]
  if (role === 'list' || !isObject(held)) return []
  return Object.entries(held).filter(([, sub]) => role === 'map' || !Array.isArray(sub))
}

/** The plain name under which `#name` finds this schema. Draft-07 writes it as an `$id` that is only a fragment. */
function anchorOf(schema: SchemaObject, dialect: Dialect): string | null {
  const named = dialect === '2020-12' ? own(schema, '$anchor') : own(schema, '$id')
  if (typeof named !== 'string') return null
  if (dialect === '2020-12') return named
  return named.startsWith('#') && named.length > 1 ? named.slice(1) : null
}

function resolve(ref: string, root: Place, tables: Tables, anchors: Map<string, Place>): Place | null {
  if (!ref.startsWith('#')) return null
  let fragment: string
  try {
    fragment = decodeURIComponent(ref.slice(1))
  } catch {
    return null
  }
  if (fragment !== '' && !fragment.startsWith('/')) return anchors.get(fragment) ?? null
  return walk(root, fragment, tables)
}

/** Children of the places that references lead through: by keyword, and by key as it is written in pointers. */
type Tables = Map<Place, Map<string, Map<string | null, Place>>>

function walk(root: Place, pointer: string, tables: Tables): Place | null {
  const segments = pointer.split('/')
  let found = root
  for (let at = 1; at < segments.length; at++) {
    const below = tableOf(found, tables).get(segments[at]!)
    const alone = below?.get(null)
    const next = alone ?? (at + 1 < segments.length ? below?.get(segments[++at]!) : undefined)
    if (next === undefined) return null
    found = next
  }
  return found
}

function tableOf(place: Place, tables: Tables): Map<string, Map<string | null, Place>> {
  let table = tables.get(place)
  if (table === undefined) {
    table = new Map()
    for (const { keyword, key, place: below } of place.children) {
      let keys = table.get(keyword)
      if (keys === undefined) table.set(keyword, (keys = new Map()))
      keys.set(key === null ? null : escapeSegment(key), below)
    }
    tables.set(place, table)
  }
  return table
}
