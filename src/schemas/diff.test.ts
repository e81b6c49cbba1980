import { describe, expect, test } from 'vitest'
import { compareSchemas } from './diff.ts'

type S = Record<string, unknown>
const object = (properties: S, rest: S = {}): S => ({ type: 'object', properties, ...rest })
const city = { type: 'string' }
const closed = { additionalProperties: false }
// oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
const ifThen = (consequence: S): S => ({ if: city, then: consequence })
const DRAFT_07 = 'http://json-schema.org/draft-07/schema#'

const tree = (leaf: S): S => ({
  $ref: '#/$defs/node',
  $defs: { node: object({ value: leaf, next: { $ref: '#/$defs/node' } }) },
})
const wide = {
  anyOf: Array.from({ length: 400 }, (_, index) => object({ [`p${index}`]: city }, { required: [`p${index}`] })),
}

const once = (list: unknown[]): { input: S; output: null } => ({ input: object({ a: { enum: list } }), output: null })
const often = (list: unknown[]): S => ({
  ...object(Object.fromEntries(Array.from({ length: 250 }, (_, index) => [`p${index}`, { $ref: '#/$defs/a' }]))),
  $defs: { a: { enum: list } },
})

// what changed | before | after | level as an input | level as an output
const TABLE: [string, S, S, string, string][] = [
  ['nothing', object({ city }), object({ city }), 'patch', 'patch'],
  ['order of keys', { type: 'object', title: 'a' }, { title: 'a', type: 'object' }, 'patch', 'patch'],
  [
    'annotations',
    object({ city }, { title: 'A', examples: [1] }),
    object({ city }, { description: 'B', $comment: 'x' }),
    'patch',
    'patch',
  ],
  ['an optional property added', object({ city }), object({ city, days: { type: 'integer' } }), 'minor', 'minor'],
  [
    'an optional property added to a closed object',
    object({ city }, closed),
    object({ city, days: city }, closed),
    'minor',
    'major',
  ],
  ['a required property added', object({ city }), object({ city, zip: city }, { required: ['zip'] }), 'major', 'minor'],
  ['a property removed', object({ city, zip: city }), object({ city }), 'major', 'major'],
  ['a required property removed', object({ city }, { required: ['city'] }), object({}), 'major', 'major'],
  ['a property renamed', object({ city }), object({ town: city }), 'major', 'major'],
  ['a property made required', object({ city }), object({ city }, { required: ['city'] }), 'major', 'minor'],
  ['a property made optional', object({ city }, { required: ['city'] }), object({ city }), 'minor', 'major'],
  ['an undeclared name made required', {}, { required: ['x'] }, 'major', 'minor'],
  ['integer to number', { type: 'integer' }, { type: 'number' }, 'minor', 'major'],
  ['number to integer', { type: 'number' }, { type: 'integer' }, 'major', 'minor'],
  ['another type', object({ city }), object({ city: { type: 'integer' } }), 'major', 'major'],
  ['a type added', { type: 'string' }, { type: ['string', 'null'] }, 'minor', 'major'],
  ['a type removed', { type: 'string' }, {}, 'minor', 'major'],
  ['integer and number are number', { type: ['integer', 'number'] }, { type: 'number' }, 'patch', 'patch'],
  ['an enum value added', { enum: ['a'] }, { enum: ['a', 'b'] }, 'minor', 'major'],
  ['an enum value removed', { enum: ['a', 'b'] }, { enum: ['a'] }, 'major', 'minor'],
  ['an enum reordered', { enum: ['a', 'b'] }, { enum: ['b', 'a'] }, 'patch', 'patch'],
  ['a const that became an enum', { const: 'a' }, { enum: ['a', 'b'] }, 'minor', 'major'],
  ['another const', { const: 'a' }, { const: 'b' }, 'major', 'major'],
  ['a lower minimum', { minimum: 3 }, { minimum: 1 }, 'minor', 'major'],
  ['a higher minimum', { minimum: 1 }, { minimum: 3 }, 'major', 'minor'],
  ['a higher maximum', { maxLength: 3 }, { maxLength: 9 }, 'minor', 'major'],
  ['a maximum added', {}, { maxItems: 9 }, 'major', 'minor'],
  ['a minimum of none', {}, { minItems: 0 }, 'patch', 'patch'],
  ['a pattern added', city, { ...city, pattern: '^a' }, 'major', 'minor'],
  ['a pattern removed', { ...city, pattern: '^a' }, city, 'minor', 'major'],
  ['another pattern', { ...city, pattern: '^a' }, { ...city, pattern: '^b' }, 'major', 'major'],
  ['another format', { ...city, format: 'date' }, { ...city, format: 'time' }, 'major', 'major'],
  ['a format added', city, { ...city, format: 'date' }, 'major', 'minor'],
  ['uniqueItems dropped', { uniqueItems: true }, { uniqueItems: false }, 'minor', 'major'],
  ['an object closed', object({ city }), object({ city }, closed), 'major', 'minor'],
  ['an object opened', object({ city }, closed), object({ city }), 'minor', 'major'],
  [
    'additional properties allowed by name',
    object({ city }),
    object({ city }, { additionalProperties: true }),
    'patch',
    'patch',
  ],
  ['items widened', { items: { type: 'integer' } }, { items: { type: 'number' } }, 'minor', 'major'],
  ['a tuple lengthened', { prefixItems: [city] }, { prefixItems: [city, city] }, 'major', 'major'],
  ['made nullable by anyOf', object({ city }), object({ city: { anyOf: [city, { type: 'null' }] } }), 'minor', 'major'],
  ['no longer nullable', object({ city: { anyOf: [city, { type: 'null' }] } }), object({ city }), 'major', 'minor'],
  ['an alternative added', { anyOf: [city] }, { anyOf: [city, { type: 'null' }] }, 'minor', 'major'],
  ['an alternative of oneOf added', { oneOf: [city] }, { oneOf: [city, { type: 'null' }] }, 'major', 'major'],
  ['an alternative widened', { anyOf: [{ maximum: 1 }] }, { anyOf: [{ maximum: 2 }] }, 'minor', 'major'],
  ['a condition added', { allOf: [city] }, { allOf: [city, { minLength: 1 }] }, 'major', 'minor'],
  ['not changed', { not: city }, { not: { type: 'null' } }, 'major', 'major'],
  ['if changed', ifThen({ minLength: 1 }), ifThen({ minLength: 2 }), 'major', 'major'],
  ['the default changed', { ...city, default: 'a' }, { ...city, default: 'b' }, 'minor', 'patch'],
  ['an unknown keyword changed', { 'x-unit': 1 }, { 'x-unit': 2 }, 'major', 'major'],
  ['an unknown keyword stayed', { 'x-unit': { a: 1, b: 2 } }, { 'x-unit': { b: 2, a: 1 } }, 'patch', 'patch'],
  [
    'definitions renamed',
    { $ref: '#/$defs/a', $defs: { a: city } },
    { $ref: '#/$defs/b', $defs: { b: city } },
    'patch',
    'patch',
  ],
  ['a definition inlined', { $ref: '#/$defs/a', $defs: { a: city } }, city, 'patch', 'patch'],
  [
    'a definition changed below not',
    { not: { $ref: '#/$defs/a' }, $defs: { a: city } },
    { not: { $ref: '#/$defs/a' }, $defs: { a: { type: 'null' } } },
    'major',
    'major',
  ],
  ['a recursive schema', tree(city), tree(city), 'patch', 'patch'],
  ['a recursive schema widened', tree({ type: 'integer' }), tree({ type: 'number' }), 'minor', 'major'],
  ['the dialect', { $schema: DRAFT_07 }, {}, 'major', 'major'],
  [
    'draft-07 names of dependencies',
    { $schema: DRAFT_07, dependencies: { a: ['b'] } },
    { $schema: DRAFT_07, dependencies: { a: ['c'] } },
    'major',
    'major',
  ],
  ['nothing, too large to be proven', wide, { anyOf: wide.anyOf.toReversed() }, 'major', 'major'],
  ['everything forbidden', {}, { properties: { a: false } }, 'minor', 'minor'],
  ['one property forbidden', { properties: { a: {} } }, { properties: { a: false } }, 'major', 'minor'],
]

describe('the change level of a schema', () => {
  test.each(TABLE)('%s', (_, before, after, input, output) => {
    expect(compareSchemas({ input: before, output: null }, { input: after, output: null }).level).toBe(input)
    expect(compareSchemas({ input: {}, output: before }, { input: {}, output: after }).level).toBe(output)
  })

  test('a first output schema is a promise more, a withdrawn one a promise less', () => {
    expect(compareSchemas({ input: {}, output: null }, { input: {}, output: city })).toMatchObject({ level: 'minor' })
    expect(compareSchemas({ input: {}, output: city }, { input: {}, output: null })).toMatchObject({ level: 'major' })
  })

  test('what references lead to again and again is not looked at for ever', () => {
    const values = Array.from({ length: 2000 }, (_, index) => `${'x'.repeat(80)}${index}`)
    const { changes } = compareSchemas(
      { input: often(values), output: null },
      { input: often(values.toReversed()), output: null },
    )
    expect(changes).toEqual([{ path: '/input', what: 'the schemas are too large to be compared', level: 'major' }])
    expect(compareSchemas(once(values), once(values.toReversed())).changes).toEqual([])
  })

  test('as many changes are told as somebody reads, the gravest, and of their places as much', () => {
    const long = 'x'.repeat(100_000)
    const many = Object.fromEntries(Array.from({ length: 1500 }, (_, index) => [`p${index}`, city]))
    const [before, after] = [object({ [long]: object({ gone: city }) }), object({ [long]: object(many) })]
    const { level, changes } = compareSchemas({ input: before, output: null }, { input: after, output: null })
    expect({ level, first: changes[0]!.level, count: changes.length }).toEqual({
      level: 'major',
      first: 'major',
      count: 500,
    })
    expect(Math.max(...changes.map(({ path }) => path.length))).toBe(1001)
  })

  test('every change is told with its place, and the highest level counts', () => {
    const before = { input: object({ 'a/b': city }), output: object({ x: city }, { required: ['x'] }) }
    const after = { input: object({ 'a/b': { type: 'integer' }, c: city }), output: object({ x: city }) }
    const { level, changes } = compareSchemas(before, after)
    expect(level).toBe('major')
    expect(changes).toEqual([
      { path: '/input/properties/a~1b/type', what: 'the type changed from "string" to "integer"', level: 'major' },
      { path: '/input/properties/c', what: 'the optional input "c" was added', level: 'minor' },
      { path: '/output/required', what: '"x" became optional', level: 'major' },
    ])
  })
})
