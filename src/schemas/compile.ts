import type { Schema } from '@cfworker/json-schema'
import { SkilletError } from '../model/errors.ts'
import { ASSERTIONS, dialectOf, FORMATS, type Dialect } from './dialects.ts'
import { indexPlaces, isObject, own, type Place, type SchemaObject } from './places.ts'

/** A schema made ready for the interpreter: only keywords of its dialect, references resolved. */
export interface Compiled {
  readonly root: Schema | boolean
  /** Targets of references by the key that `__absolute_ref__` holds. */
  readonly lookup: Record<string, Schema | boolean>
  readonly draft: '7' | '2020-12'
  /** How many steps one value can cost at the most; Infinity where references go in circles. */
  readonly weight: number
  /** It holds nothing whose time grows faster than weight times size of the value: no user's regex, no uniqueItems. */
  readonly linear: boolean
}

/**
 * The interpreter gets a copy that this function built, never the tenant's object: it writes into what it is given,
 * trusts keys of its own found there, and applies keywords that the dialect does not have.
 * @throws SkilletError schema_rejected for a schema that `schemaProblems` would not have let pass.
 */
export function compileSchema(schema: unknown): Compiled {
  const dialect = dialectOf(schema)
  if (dialect === null) throw new SkilletError('schema_rejected', 'The schema names a dialect that is not accepted.')
  const places = indexPlaces(schema, dialect)
  const copies = new Map<Place, Schema | boolean>()
  for (const place of places) copies.set(place, copyOf(place.schema, dialect))
  const lookup: Record<string, Schema | boolean> = Object.create(null)
  for (const [place, copy] of copies) {
    if (typeof copy === 'boolean') continue
    connect(place, copy, copies, lookup)
  }
  const [root] = places
  return {
    root: copies.get(root)!,
    lookup,
    draft: dialect === 'draft-07' ? '7' : '2020-12',
    weight: weigh(root, new Map()),
    linear: places.every(isLinear),
  }
}

function copyOf(schema: unknown, dialect: Dialect): Schema | boolean {
  if (!isObject(schema)) return schema !== false
  const copy: Schema = {}
  for (const keyword of ASSERTIONS[dialect]) {
    if (Object.hasOwn(schema, keyword)) copy[keyword] = schema[keyword]
  }
  const format = own(schema, 'format')
  // An unknown format says nothing; the interpreter would look it up in an object that inherits.
  if (typeof format === 'string' && FORMATS.has(format)) copy.format = format
  if (dialect === 'draft-07' && isObject(schema['dependencies'])) copy.dependencies = names(schema['dependencies'])
  return copy
}

/** The part of draft-07 `dependencies` that lists names; `connect` adds the schemas. */
function names(dependencies: SchemaObject): Record<string, string[]> {
  const table: Record<string, string[]> = Object.create(null)
  for (const [key, value] of Object.entries(dependencies)) if (Array.isArray(value)) table[key] = value
  return table
}

function connect(
  place: Place,
  copy: Schema,
  copies: Map<Place, Schema | boolean>,
  lookup: Record<string, Schema | boolean>,
): void {
  for (const { keyword, key, place: below, definition } of place.children) {
    if (definition) continue
    if (key === null) copy[keyword] = copies.get(below)
    else if (Array.isArray((place.schema as SchemaObject)[keyword])) (copy[keyword] ??= []).push(copies.get(below))
    // Without a prototype, so that a property named __proto__ is one like any other.
    else (copy[keyword] ??= Object.create(null))[key] = copies.get(below)
  }
  const ref = own(place.schema as SchemaObject, '$ref')
  if (typeof ref !== 'string') return
  if (place.target === null) throw new SkilletError('schema_rejected', `The reference "${ref}" leads nowhere.`)
  copy.$ref = ref
  const at = `#${place.target.id}`
  copy.__absolute_ref__ = at
  lookup[at] = copies.get(place.target)!
}

function weigh(place: Place, known: Map<Place, number>): number {
  const before = known.get(place)
  if (before !== undefined) return before
  // Met again while it is being weighed: a circle.
  known.set(place, Infinity)
  let weight = 1
  if (isObject(place.schema)) {
    for (const keyword of ['enum', 'required']) {
      const held = own(place.schema, keyword)
      if (Array.isArray(held)) weight += held.length
    }
  }
  for (const child of place.children) if (!child.definition) weight += weigh(child.place, known)
  if (place.target !== null) weight += weigh(place.target, known)
  known.set(place, weight)
  return weight
}

function isLinear(place: Place): boolean {
  if (!isObject(place.schema)) return true
  const format = own(place.schema, 'format')
  if (typeof format === 'string' && FORMATS.get(format) === 'watched') return false
  return !['pattern', 'patternProperties', 'uniqueItems'].some((keyword) =>
    Object.hasOwn(place.schema as object, keyword),
  )
}
