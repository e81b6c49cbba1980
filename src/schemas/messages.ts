import type { OutputUnit, Schema } from '@cfworker/json-schema'
import type { Problem } from '../model/errors.ts'
import type { Compiled } from './compile.ts'
import { escapeSegment } from './places.ts'

/** One error of the interpreter in words, or null when another one says it. */
export function explain(compiled: Compiled, value: unknown, error: OutputUnit): Problem | null {
  if (CONTAINERS.has(error.keyword) || error.error.endsWith('does not match dependant schema.')) return null
  const pointer = plainPointer(error.instanceLocation)
  if (error.keyword === 'required') {
    const missing = /"(.*)"/s.exec(error.error)![1]!
    return { pointer: `${pointer}/${escapeSegment(missing)}`, message: 'is required' }
  }
  const expected = keywordValue(compiled, error)
  const write = MESSAGES[error.keyword]
  const message = write === undefined ? error.error : write(expected, at(value, pointer), error)
  return { pointer, message }
}

const CONTAINERS = new Set(
  'properties patternProperties additionalProperties unevaluatedProperties propertyNames items prefixItems additionalItems unevaluatedItems allOf $ref if dependentSchemas'.split(
    ' ',
  ),
)

type Writer = (expected: unknown, actual: unknown, error: OutputUnit) => string

const MESSAGES: Record<string, Writer | undefined> = {
  type: (expected, actual) => `must be ${list([expected].flat().map(kind))}, but is ${describe(actual)}`,
  const: (expected, actual) => `must be ${brief(expected)}, but is ${describe(actual)}`,
  enum: (expected, actual) => `must be ${list((expected as unknown[]).map(brief))}, but is ${describe(actual)}`,
  false: () => 'is not allowed here',
  not: () => 'matches what is excluded here',
  anyOf: (expected) => `matches none of the ${(expected as unknown[]).length} alternatives`,
  oneOf: (expected, _, { error }) =>
    error.includes('(0 matches)')
      ? `matches none of the ${(expected as unknown[]).length} alternatives`
      : `must match exactly one alternative, but matches ${/(\d+) matches/.exec(error)?.[1]}`,
  contains: () => 'has no item of the required kind',
  minContains: (expected) => `must have at least ${String(expected)} items of the required kind`,
  maxContains: (expected) => `may have at most ${String(expected)} items of the required kind`,
  minimum: (expected, actual) => `must be at least ${String(expected)}, but is ${describe(actual)}`,
  maximum: (expected, actual) => `must be at most ${String(expected)}, but is ${describe(actual)}`,
  exclusiveMinimum: (expected, actual) => `must be more than ${String(expected)}, but is ${describe(actual)}`,
  exclusiveMaximum: (expected, actual) => `must be less than ${String(expected)}, but is ${describe(actual)}`,
  multipleOf: (expected, actual) => `must be a multiple of ${String(expected)}, but is ${describe(actual)}`,
  minLength: (expected) => `must have at least ${count(expected, 'character')}`,
  maxLength: (expected) => `must have at most ${count(expected, 'character')}`,
  minItems: (expected, actual) => `must have at least ${count(expected, 'item')}, but has ${(actual as []).length}`,
  maxItems: (expected, actual) => `must have at most ${count(expected, 'item')}, but has ${(actual as []).length}`,
  uniqueItems: () => 'has an item twice',
  minProperties: (expected) => `must have at least ${String(expected)} properties`,
  maxProperties: (expected) => `must have at most ${String(expected)} properties`,
  pattern: (expected) => `must match the pattern ${String(expected)}`,
  format: (expected) => `must be a valid ${String(expected)}`,
  dependentRequired: (_, __, { error }) => needs(error),
  dependencies: (_, __, { error }) => needs(error),
}

const kind = (type: unknown): string =>
  type === 'null' ? 'null' : `${/^[aio]/.test(String(type)) ? 'an' : 'a'} ${String(type)}`

const needs = (error: string): string =>
  error.replace(/^Instance has "(.*)" but does not have "(.*)"\.$/s, 'needs "$2" because it has "$1"')

const count = (expected: unknown, noun: string): string => `${String(expected)} ${noun}${expected === 1 ? '' : 's'}`

const MOST_LISTED = 20

function list(words: string[]): string {
  const shown =
    words.length > MOST_LISTED ? [...words.slice(0, MOST_LISTED), `${words.length - MOST_LISTED} more`] : words
  return shown.length === 1 ? shown[0]! : `one of ${shown.join(', ')}`
}

/** A value in few characters. It goes to the caller who sent it, so it may be shown. */
function brief(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  const text = JSON.stringify(typeof value === 'string' ? value.slice(0, 61) : value)
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text
}

function describe(value: unknown): string {
  if (typeof value === 'string') return `the string ${brief(value)}`
  return brief(value)
}

/** `#/a%20b` as the interpreter writes it -> `/a b`. */
const plainPointer = (location: string): string => decodeURIComponent(location.slice(1))

const segments = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))

function at(value: unknown, pointer: string): unknown {
  let found: unknown = value
  for (const segment of segments(pointer)) {
    // The errors of propertyNames point to the name: there the value is not what is wrong.
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, segment)) return undefined
    found = (found as Record<string, unknown>)[segment]
  }
  return found
}

/** What the failed keyword says in the schema, following references. */
function keywordValue(compiled: Compiled, error: OutputUnit): unknown {
  // For a false schema the interpreter gives the place in the value, not that in the schema.
  if (error.keyword === 'false') return false
  let found: unknown = compiled.root
  for (const segment of segments(plainPointer(error.keywordLocation))) {
    if (typeof found !== 'object' || found === null) return undefined
    const schema = found as Schema
    found = segment === '$ref' ? compiled.lookup[schema.__absolute_ref__!] : schema[segment]
  }
  return found
}
