import { APPLICATORS, type Dialect } from './dialects.ts'

/** One subschema: where it is, what is below it, and what it refers to. */
export interface Place {
  /** JSON pointer from the root of the schema. */
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

/** Every subschema of a schema by its pointer, with local references resolved. Expects a schema of limited depth. */
export function indexPlaces(schema: unknown, dialect: Dialect): Map<string, Place> {
  const places = new Map<string, Place>()
  const anchors = new Map<string, Place>()
  visit(schema, '', dialect, places, anchors)
  for (const place of places.values()) {
    const ref = isObject(place.schema) ? own(place.schema, '$ref') : undefined
    if (typeof ref === 'string') place.target = resolve(ref, places, anchors)
  }
  return places
}

function visit(
  schema: unknown,
  pointer: string,
  dialect: Dialect,
  places: Map<string, Place>,
  anchors: Map<string, Place>,
): Place {
  const place: Place = { pointer, schema, children: [], target: null }
  places.set(pointer, place)
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

function resolve(ref: string, places: Map<string, Place>, anchors: Map<string, Place>): Place | null {
  if (!ref.startsWith('#')) return null
  let fragment: string
  try {
    fragment = decodeURIComponent(ref.slice(1))
  } catch {
    return null
  }
  return (fragment === '' || fragment.startsWith('/') ? places.get(fragment) : anchors.get(fragment)) ?? null
}
