import { afterAll, describe, expect, test } from 'vitest'
import { createSchemaValidator } from './json-schema-validator.ts'

const validator = createSchemaValidator()
afterAll(() => validator.close())

const DRAFT_07 = 'http://json-schema.org/draft-07/schema#'
const REF = { $ref: '#/$defs/x', $defs: { x: { type: 'integer' } } }
const LINKED = { type: 'object', properties: { next: { $ref: '#' }, v: { type: 'integer' } }, required: ['v'] }
// oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
const CONDITIONAL = { if: { properties: { a: { const: 1 } } }, then: { required: ['b'] }, else: { required: ['c'] } }

// keyword | schema | accepted | rejected
const TABLE_2020: [string, object, unknown[], unknown[]][] = [
  ['type', { type: 'integer' }, [0, -3, 1.0], [1.5, '1', null, true, [], {}]],
  ['type list', { type: ['string', 'null'] }, ['', null], [0, false]],
  ['enum', { enum: [1, 'a', { b: [2] }] }, [1, 'a', { b: [2] }], [2, 'b', { b: [3] }, '1']],
  ['const', { const: { a: 1, b: 2 } }, [{ b: 2, a: 1 }], [{ a: 1 }, { a: 1, b: 2, c: 3 }]],
  ['bounds', { minimum: 1, exclusiveMaximum: 3 }, [1, 2.9, 'no number'], [0.9, 3]],
  ['multipleOf', { multipleOf: 0.01 }, [4.35, 0], [4.355]],
  ['lengths count characters', { minLength: 2, maxLength: 2 }, ['ab', '😀😀'], ['a', '😀', 'abc']],
  ['pattern', { pattern: '^a+$' }, ['aaa', 7], ['ab']],
  ['required', { required: ['a'] }, [{ a: null }, 'x'], [{}, { b: 1 }]],
  ['additionalProperties', { properties: { a: {} }, additionalProperties: false }, [{ a: 1 }, {}], [{ b: 1 }]],
  ['typed additionalProperties', { additionalProperties: { type: 'string' } }, [{ a: 'x' }], [{ a: 1 }]],
  ['patternProperties', { patternProperties: { '^n_': { type: 'number' } } }, [{ n_a: 1, b: '' }], [{ n_a: '' }]],
  ['propertyNames', { propertyNames: { maxLength: 2 } }, [{ ab: 1 }], [{ abc: 1 }]],
  ['counts of properties', { minProperties: 1, maxProperties: 2 }, [{ a: 1 }], [{}, { a: 1, b: 2, c: 3 }]],
  ['items', { items: { type: 'integer' }, minItems: 1, maxItems: 2 }, [[1], [1, 2]], [[], [1, 'a'], [1, 2, 3]]],
  ['prefixItems', { prefixItems: [{ type: 'string' }], items: false }, [['a'], []], [['a', 1], [1]]],
  ['uniqueItems', { uniqueItems: true }, [[1, 2, { a: 1 }, { a: 2 }]], [[{ a: 1 }, { a: 1 }]]],
  [
    'contains',
    { contains: { const: 1 }, maxContains: 2 },
    [
      [1, 2],
      [1, 1],
    ],
    [[], [2], [1, 1, 1]],
  ],
  ['minContains', { contains: { const: 1 }, minContains: 2 }, [[1, 1, 3]], [[1, 2], []]],
  ['dependentRequired', { dependentRequired: { a: ['b'] } }, [{ a: 1, b: 2 }, { b: 1 }], [{ a: 1 }]],
  ['dependentSchemas', { dependentSchemas: { a: { required: ['b'] } } }, [{ a: 1, b: 2 }], [{ a: 1 }]],
  [
    'unevaluatedProperties',
    { allOf: [{ properties: { a: {} } }], unevaluatedProperties: false },
    [{ a: 1 }],
    [{ b: 1 }],
  ],
  ['anyOf', { anyOf: [{ type: 'string' }, { minimum: 3, type: 'number' }] }, ['a', 3], [2, null]],
  ['oneOf', { oneOf: [{ multipleOf: 2 }, { multipleOf: 3 }] }, [2, 3], [6, 5]],
  ['not', { not: { type: 'null' } }, [0], [null]],
  [
    'if, then, else',
    CONDITIONAL,
    [
      { a: 1, b: 1 },
      { a: 2, c: 1 },
    ],
    [{ a: 1 }, { a: 2 }],
  ],
  ['$ref with a keyword beside it', { ...REF, minimum: 3 }, [3], [2, 'a']],
  ['$anchor', { $ref: '#n', $defs: { x: { $anchor: 'n', type: 'null' } } }, [null], [0]],
  ['$ref through escapes', { $ref: '#/$defs/a~1b%25', $defs: { 'a/b%': { type: 'null' } } }, [null], [0]],
  [
    'recursion',
    LINKED,
    [{ v: 1, next: { v: 2 } }],
    [
      { v: 1, next: { v: '2' } },
      { v: 1, next: {} },
    ],
  ],
  ['format date-time', { format: 'date-time' }, ['2026-11-21T08:00:00Z', 3], ['2026-13-01T00:00:00Z', 'now']],
  ['format date', { format: 'date' }, ['2028-02-29'], ['2026-02-29', '2026-2-1']],
  ['format time', { format: 'time' }, ['08:30:06Z'], ['25:00:00Z', '08:30']],
  ['format email', { format: 'email' }, ['a.b@example.org'], ['a', '@b', 'a..b@example.org']],
  ['format uri', { format: 'uri' }, ['https://example.org/a?b#c'], ['example', '//x y']],
  ['format uuid', { format: 'uuid' }, ['2eb8aa08-aa98-11ea-b4aa-73b441d16380'], ['2eb8aa08aa9811eab4aa73b441d16380']],
  ['format ipv4', { format: 'ipv4' }, ['192.0.2.1'], ['192.0.2.256', '1.2.3']],
  ['format ipv6', { format: 'ipv6' }, ['2001:db8::1'], ['2001:db8::g', '1::2::3']],
  ['an unknown format says nothing', { format: '__proto__' }, ['x'], []],
  [
    'another dialect’s keyword says nothing',
    { dependencies: { a: ['b'] }, additionalItems: false },
    [{ a: 1 }, [1]],
    [],
  ],
]

const TABLE_07: [string, object, unknown[], unknown[]][] = [
  ['items as a list', { items: [{ type: 'string' }], additionalItems: false }, [['a']], [['a', 1], [1]]],
  [
    'dependencies',
    { dependencies: { a: ['b'], c: { required: ['d'] } } },
    [
      { a: 1, b: 1 },
      { c: 1, d: 1 },
    ],
    [{ a: 1 }, { c: 1 }],
  ],
  ['keywords beside $ref are ignored', { ...REF, minimum: 3 }, [2], ['a']],
  ['an $id that is a name', { $ref: '#n', definitions: { x: { $id: '#n', type: 'null' } } }, [null], [0]],
  ['exclusiveMinimum', { exclusiveMinimum: 1 }, [1.1], [1]],
  [
    'if, then, else',
    CONDITIONAL,
    [
      { a: 1, b: 1 },
      { a: 2, c: 1 },
    ],
    [{ a: 1 }, { a: 2 }],
  ],
  ['newer keywords say nothing', { prefixItems: [false], dependentRequired: { a: ['b'] } }, [[1], { a: 1 }], []],
]

describe.each([
  ['2020-12', TABLE_2020, {}],
  ['draft-07', TABLE_07, { $schema: DRAFT_07 }],
])('%s', (_, table, dialect) => {
  test.each(table)('%s', async (__, keywords, accepted, rejected) => {
    const schema = { ...dialect, ...keywords }
    expect(await validator.checkSchema(schema)).toEqual([])
    for (const value of accepted) expect(await validator.validate(schema, value), JSON.stringify(value)).toEqual([])
    for (const value of rejected) expect(await validator.validate(schema, value), JSON.stringify(value)).not.toEqual([])
  })
})

describe('problems', () => {
  const schema = {
    type: 'object',
    properties: {
      city: { type: 'string', minLength: 2 },
      units: { enum: ['celsius', 'fahrenheit'] },
      days: { anyOf: [{ type: 'integer', minimum: 1 }, { type: 'null' }] },
      list: { type: 'array', items: { $ref: '#/$defs/item' } },
      'a/b': { type: 'boolean' },
    },
    required: ['city', 'zip~code'],
    additionalProperties: false,
    $defs: { item: { type: 'object', properties: { size: { const: 3 } } } },
  }

  test('all at once, each with its pointer, none twice', async () => {
    const value = { city: 'x', units: 'kelvin', days: 0, list: [{ size: 4 }, 5], 'a/b': 1, extra: true }
    expect(await validator.validate(schema, value)).toEqual([
      { pointer: '/zip~0code', message: 'is required' },
      { pointer: '/city', message: 'must have at least 2 characters' },
      { pointer: '/units', message: 'must be one of "celsius", "fahrenheit", but is the string "kelvin"' },
      { pointer: '/days', message: 'must be at least 1, but is 0' },
      { pointer: '/list/0/size', message: 'must be 3, but is 4' },
      { pointer: '/list/1', message: 'must be an object, but is 5' },
      { pointer: '/a~1b', message: 'must be a boolean, but is 1' },
      { pointer: '/extra', message: 'is not allowed here' },
    ])
  })

  test('a choice speaks for its alternatives', async () => {
    const choice = { anyOf: [{ type: 'string' }, { type: 'integer' }] }
    expect(await validator.validate(choice, null)).toEqual([
      { pointer: '', message: 'matches none of the 2 alternatives' },
    ])
    const one = { properties: { a: { oneOf: [{ minimum: 1 }, { minimum: 2 }] } } }
    expect(await validator.validate(one, { a: 3 })).toEqual([
      { pointer: '/a', message: 'must match exactly one alternative, but matches 2' },
    ])
  })

  test('names with percent signs and spaces keep their pointer', async () => {
    const odd = { properties: { 'a %25#é': { type: 'null' } } }
    expect(await validator.validate(odd, { 'a %25#é': 1 })).toMatchObject([{ pointer: '/a %25#é' }])
  })
})

const nested = (levels: number): unknown => JSON.parse('{"n":'.repeat(levels) + '1' + '}'.repeat(levels))

describe('hostile values', () => {
  test.each([
    ['inline', { properties: { n: {} } }],
    ['in a thread', { $ref: '#/$defs/n', $defs: { n: { properties: { n: { $ref: '#/$defs/n' } } } } }],
  ])('twenty thousand levels are a problem, not a crash: %s', async (_, schema) => {
    expect(await validator.validate(schema, nested(20_000))).toMatchObject([{ pointer: '' }])
    expect(await validator.validate(schema, [nested(20_000), ...Array.from({ length: 9000 }, () => 1)])).toMatchObject([
      { pointer: '' },
    ])
  })

  test('__proto__ is a property like any other', async () => {
    const schema = JSON.parse(
      '{"properties":{"__proto__":{"type":"string"}},"required":["__proto__"],"additionalProperties":false}',
    )
    expect(await validator.checkSchema(schema)).toEqual([])
    expect(await validator.validate(schema, JSON.parse('{"__proto__":"x"}'))).toEqual([])
    expect(await validator.validate(schema, JSON.parse('{"__proto__":1}'))).toMatchObject([{ pointer: '/__proto__' }])
    expect(await validator.validate(schema, {})).toMatchObject([{ message: 'is required' }])
    expect(await validator.validate({ required: ['constructor'] }, {})).toMatchObject([{ pointer: '/constructor' }])
    expect(Object.prototype).not.toHaveProperty('x')
  })

  test('keys of the interpreter in a schema do nothing', async () => {
    const schema = { $ref: '#/$defs/x', __absolute_ref__: '#/$defs/y', $defs: { x: { type: 'string' }, y: true } }
    expect(await validator.validate(schema, 3)).toMatchObject([{ pointer: '' }])
  })

  test('half a surrogate pair in a name', async () => {
    expect(await validator.validate({ properties: { '\ud800': { type: 'null' } } }, { '\ud800': 1 })).toHaveLength(1)
  })

  test('of two hundred thousand wrong items the first is told', async () => {
    const value = Array.from({ length: 200_000 }, () => 1)
    const problems = await validator.validate({ type: 'array', items: { type: 'string' } }, value)
    expect(problems).toEqual([{ pointer: '/0', message: 'must be a string, but is 1' }])
    expect(await validator.validate({ items: { type: 'string' } }, value.slice(0, 500))).toHaveLength(100)
  })

  // The steps of the interpreter were bounded, but not the paths that it writes: it took the server most of a second, and the answer had 14 MB.
  test('below a long name each path is long: that is checked elsewhere, and told as far as somebody reads', async () => {
    const below = Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`k${index}`, 1]))
    const patient = createSchemaValidator({ threads: 1, timeoutMs: 60_000 })
    const schema = { additionalProperties: { additionalProperties: { type: 'string' } } }
    const problems = await patient.validate(schema, { ['/'.repeat(70_000)]: below })
    expect(problems).toHaveLength(100)
    expect(Math.max(...problems.map(({ pointer }) => pointer.length))).toBe(2001)
    const hasty = createSchemaValidator({ threads: 1, timeoutMs: 0 })
    await expect(hasty.validate(schema, { ['/'.repeat(70_000)]: below })).rejects.toMatchObject({
      code: 'validation_timeout',
    })
    await patient.close()
    await hasty.close()
  })

  test('text is judged as what it says, whether it is parsed here or in a thread', async () => {
    const patient = createSchemaValidator({ threads: 1, timeoutMs: 60_000 })
    const schema = { type: 'array', items: { type: 'object' } }
    for (const count of [10, 200_000]) {
      const text = (last: string): string => `[${'{},'.repeat(count)}${last}]`
      expect(await patient.validateText(schema, text('{}'))).toEqual([])
      expect(await patient.validateText(schema, text('1'))).toMatchObject([{ pointer: `/${count}` }])
      await expect(patient.validateText(schema, text('{'))).rejects.toMatchObject({ name: 'SyntaxError' })
    }
    await patient.close()
  })

  test('no value at all', async () => {
    expect(await validator.validate({}, undefined)).toHaveLength(1)
  })
})

describe('checks that run away are stopped, and the next one is served', () => {
  const bomb = { $ref: '#/$defs/d0', $defs: {} as Record<string, object> }
  for (let index = 0; index < 30; index++) {
    bomb.$defs[`d${index}`] = { allOf: [{ $ref: `#/$defs/d${index + 1}` }, { $ref: `#/$defs/d${index + 1}` }] }
  }
  bomb.$defs['d30'] = { type: 'integer' }

  test.each([
    ['a pattern', { type: 'string', pattern: '^(a+)+$' }, `${'a'.repeat(40)}!`],
    ['a pattern of names', { patternProperties: { '^(a+)+$': {} } }, { [`${'a'.repeat(40)}!`]: 1 }],
    ['references that double', bomb, 1],
    ['unique items', { uniqueItems: true }, Array.from({ length: 60_000 }, (_, index) => ({ index }))],
  ])('%s', async (_, schema, value) => {
    expect(await validator.checkSchema(schema)).toEqual([])
    await expect(validator.validate(schema, value)).rejects.toMatchObject({ code: 'validation_timeout' })
    expect(await validator.validate({ pattern: 'b' }, 'a')).toHaveLength(1)
  })

  test('closing is possible twice', async () => {
    const own = createSchemaValidator({ threads: 1 })
    expect(await own.validate({ pattern: 'b' }, 'b')).toEqual([])
    await own.close()
    await own.close()
  })
})
