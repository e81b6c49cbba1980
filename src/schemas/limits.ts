import type { Problem } from '../model/errors.ts'
import { LIMITS } from '../model/sizes.ts'
import { cutProblem } from './cut-problem.ts'
import { APPLICATORS, dialectOf, REFUSED_KEYWORDS, type Dialect } from './dialects.ts'
import { measure } from './measure.ts'
import { escapeSegment, indexPlaces, isObject, own, type Place, type SchemaObject } from './places.ts'

/**
 * What is wrong with a schema before any of it is executed: size, depth, dialect, references, patterns.
 * Pure and bounded: the schema may be anything a stranger sent. The pointers lead into the schema.
 */
export function schemaProblems(schema: unknown): Problem[] {
  if (!isObject(schema)) return [{ pointer: '', message: 'A schema must be an object, such as {"type": "object"}.' }]
  const size = sizeProblem(schema)
  if (size !== null) return [{ pointer: '', message: size }]
  const dialect = dialectOf(schema)
  if (dialect === null) {
    const message = `The dialect ${JSON.stringify(own(schema, '$schema'))} is not accepted; use JSON Schema 2020-12 or draft-07.`
    return [{ pointer: '/$schema', message }]
  }
  const places = indexPlaces(schema, dialect)
  const problems: Problem[] = []
  const refs = places.filter((place) => isObject(place.schema) && own(place.schema, '$ref') !== undefined)
  if (refs.length > LIMITS.schemaRefs) {
    return [{ pointer: '', message: `There are ${refs.length} $ref; at most ${LIMITS.schemaRefs} are allowed.` }]
  }
  for (const place of places) {
    if (problems.length >= MOST_PROBLEMS) break
    if (isObject(place.schema)) checkPlace(place, place.schema, dialect, problems)
  }
  if (problems.length < MOST_PROBLEMS) loops(places, problems)
  return problems.slice(0, MOST_PROBLEMS).map(cutProblem)
}

/** How many problems of one schema are told. */
const MOST_PROBLEMS = 100

function sizeProblem(schema: SchemaObject): string | null {
  // Every node and character takes a byte at least; depth is counted before anything recursive touches the schema.
  const size = measure(schema, { nodes: LIMITS.schemaBytes, chars: LIMITS.schemaBytes, depth: LIMITS.schemaDepth })
  if (size.depth > LIMITS.schemaDepth) return `The schema nests deeper than ${LIMITS.schemaDepth} levels.`
  if (size.over || Buffer.byteLength(JSON.stringify(schema)) > LIMITS.schemaBytes) {
    return `The schema is larger than ${LIMITS.schemaBytes} bytes.`
  }
  return null
}

function checkPlace(place: Place, schema: SchemaObject, dialect: Dialect, problems: Problem[]): void {
  const add = (keyword: string, message: string) => {
    problems.push({ pointer: `${place.pointer}/${escapeSegment(keyword)}`, message })
  }
  for (const [keyword, remedy] of REFUSED_KEYWORDS) {
    if (Object.hasOwn(schema, keyword)) add(keyword, `${keyword} is not supported; ${remedy}.`)
  }
  checkReference(place, schema, dialect, add)
  const pattern = own(schema, 'pattern')
  if (typeof pattern === 'string') checkPattern(pattern, (message) => add('pattern', message))
  const patterns = own(schema, 'patternProperties')
  for (const key of isObject(patterns) ? Object.keys(patterns) : []) {
    checkPattern(key, (message) => add('patternProperties', message))
  }
  for (const keyword of ['enum', 'required', ...APPLICATORS[dialect].keys()]) {
    const held = own(schema, keyword)
    const count = Array.isArray(held) ? held.length : isObject(held) ? Object.keys(held).length : 0
    if (count > LIMITS.schemaEntries) add(keyword, `${count} entries; at most ${LIMITS.schemaEntries} are allowed.`)
  }
}

function checkReference(
  place: Place,
  schema: SchemaObject,
  dialect: Dialect,
  add: (keyword: string, message: string) => void,
): void {
  const ref = own(schema, '$ref')
  if (typeof ref === 'string' && place.target === null) {
    if (ref.startsWith('#')) add('$ref', `"${ref}" does not lead to a schema in this document.`)
    else add('$ref', `"${ref}" is not local; copy what it refers to into $defs and refer to "#/$defs/…".`)
  }
  const id = own(schema, '$id')
  if (typeof id === 'string' && place.pointer !== '' && !(dialect === 'draft-07' && id.startsWith('#'))) {
    add('$id', 'An $id below the root is not supported; use $defs and local references.')
  }
}

function checkPattern(pattern: string, add: (message: string) => void): void {
  if (pattern.length > LIMITS.schemaPatternChars) {
    return add(`A pattern of ${pattern.length} characters; at most ${LIMITS.schemaPatternChars} are allowed.`)
  }
  try {
    // Only parsed, never executed here.
    RegExp(pattern, 'u')
  } catch (error) {
    add(`"${pattern}" is not a regular expression: ${(error as Error).message}.`)
  }
}

/** References that lead back to themselves without stepping into the value: checking would never end. */
function loops(places: readonly Place[], problems: Problem[]): void {
  const done = new Set<Place>()
  const open = new Set<Place>()
  const follow = (place: Place): void => {
    if (done.has(place)) return
    open.add(place)
    for (const next of sameValue(place)) {
      if (open.has(next)) {
        problems.push({ pointer: place.pointer, message: `Refers back to "#${next.pointer}" without end.` })
      } else follow(next)
    }
    open.delete(place)
    done.add(place)
  }
  for (const place of places) {
    if (problems.length >= MOST_PROBLEMS) return
    follow(place)
  }
}

function sameValue(place: Place): Place[] {
  const below = place.children.filter((child) => child.inPlace).map((child) => child.place)
  return place.target === null ? below : [...below, place.target]
}
