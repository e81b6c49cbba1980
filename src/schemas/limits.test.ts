import { afterAll, describe, expect, test } from 'vitest'
import { createSchemaValidator } from './json-schema-validator.ts'
import { schemaProblems } from './limits.ts'

// On a busy machine a check in a thread may take its time.
const validator = createSchemaValidator({ timeoutMs: 60_000 })
afterAll(() => validator.close())

const deep = (levels: number): object => JSON.parse('{"not":'.repeat(levels) + '{}' + '}'.repeat(levels))
const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index))
const DRAFT_07 = 'http://json-schema.org/draft-07/schema#'

describe('schemas that are refused', () => {
  test.each<[string, unknown, string, RegExp]>([
    ['no object', true, '', /must be an object/],
    ['text', 'string', '', /must be an object/],
    ['too deep', deep(70), '', /deeper than 64/],
    ['far too deep', deep(20_000), '', /deeper than 64/],
    ['too large', { description: 'x'.repeat(300_000) }, '', /larger than 262144 bytes/],
    ['too many parts', { enum: many(300_000, (index) => index) }, '', /larger than/],
    ['a dialect of old', { $schema: 'http://json-schema.org/draft-04/schema#' }, '/$schema', /not accepted/],
    ['a dialect that is no text', { $schema: 7 }, '/$schema', /not accepted/],
    [
      'too many references',
      { $defs: { x: {} }, prefixItems: many(257, () => ({ $ref: '#/$defs/x' })) },
      '',
      /257 \$ref/,
    ],
    ['a remote reference', { items: { $ref: 'http://169.254.169.254/x' } }, '/items/$ref', /not local/],
    ['a file', { $ref: 'file:///etc/passwd' }, '/$ref', /not local/],
    ['a reference to nothing', { $ref: '#/$defs/x' }, '/$ref', /does not lead to a schema/],
    ['a reference to what is no schema', { $ref: '#/enum/0', enum: [{}] }, '/$ref', /does not lead to a schema/],
    ['a broken escape', { $ref: '#/%zz' }, '/$ref', /does not lead/],
    ['a loop', { $ref: '#' }, '', /back to "#" without end/],
    [
      'a loop of two',
      { allOf: [{ $ref: '#/$defs/a' }], $defs: { a: { anyOf: [{ $ref: '#' }] } } },
      '/$defs/a/anyOf/0',
      /without end/,
    ],
    ['a dynamic reference', { $dynamicRef: '#x' }, '/$dynamicRef', /not supported; use \$ref/],
    ['a second identity', { $defs: { a: { $id: 'https://example.org/a' } } }, '/$defs/a/$id', /below the root/],
    ['a long pattern', { pattern: 'a'.repeat(1001) }, '/pattern', /1001 characters/],
    ['a broken pattern', { properties: { a: { pattern: '(' } } }, '/properties/a/pattern', /not a regular expression/],
    ['a broken pattern of names', { patternProperties: { '[': {} } }, '/patternProperties', /not a regular expression/],
    ['a long enum', { enum: many(2001, (index) => index) }, '/enum', /2001 entries/],
    [
      'many properties',
      { properties: Object.fromEntries(many(2001, (index) => [`p${index}`, {}])) },
      '/properties',
      /2001/,
    ],
  ])('%s', (_, schema, pointer, message) => {
    expect(schemaProblems(schema)).toContainEqual({ pointer, message: expect.stringMatching(message) })
  })

  test('all of them at once', () => {
    const problems = schemaProblems({ properties: { a: { pattern: '(' }, b: { $ref: 'x' } }, $dynamicAnchor: 'y' })
    expect(problems.map(({ pointer }) => pointer)).toEqual([
      '/$dynamicAnchor',
      '/properties/a/pattern',
      '/properties/b/$ref',
    ])
  })

  test('no more of them, and no longer ones, than somebody reads', () => {
    const long = 'a'.repeat(100_000)
    const broken = Object.fromEntries(many(250, (index) => [`p${index}`, { $ref: 'x' }]))
    const problems = schemaProblems({ properties: { [long]: { properties: broken } } })
    expect(problems).toHaveLength(100)
    expect(Math.max(...problems.map(({ pointer }) => pointer.length))).toBe(2001)
  })

  // Not at all: looking at this one took minutes, in which the server did nothing else.
  test('a name as long as the schema, with hundreds of places below it', async () => {
    const below = Object.fromEntries(many(1900, (index) => [`p${index + 1000}`, { type: 'string' }]))
    const schema = { properties: { ['a/'.repeat(60_000)]: { properties: below } } }
    expect(schemaProblems(schema)).toEqual([])
    const found = await validator.validate(schema, { ['a/'.repeat(60_000)]: { p1001: 'x', p1002: 1 } })
    expect(found).toMatchObject([{ message: 'must be a string, but is 1' }])
  })

  test.each([
    ['#/properties/a~1b~0c/items', { properties: { 'a/b~c': { items: { type: 'string' } } } }],
    ['#/properties/properties', { properties: { properties: { type: 'string' } } }],
    ['#/properties/', { properties: { '': { type: 'string' } } }],
    ['#/prefixItems/1', { prefixItems: [true, { type: 'string' }] }],
    ['#/$defs/%61', { $defs: { a: { type: 'string' } } }],
    ['#named', { $defs: { a: { $anchor: 'named', type: 'string' } } }],
  ])('a reference to %s', async ($ref, rest) => {
    const schema = { ...rest, properties: { ...('properties' in rest && rest.properties), there: { $ref } } }
    expect(schemaProblems(schema)).toEqual([])
    expect(await validator.validate(schema, { there: 1 })).toMatchObject([{ pointer: '/there' }])
  })

  test('a schema that holds itself', () => {
    const schema: Record<string, unknown> = {}
    schema['not'] = schema
    expect(schemaProblems(schema)).toHaveLength(1)
  })
})

describe('the meta-schema', () => {
  test.each<[string, object, string]>([
    ['an unknown type', { type: 'text' }, '/type'],
    ['a nested unknown type', { properties: { a: { items: { type: 'int' } } } }, '/properties/a/items/type'],
    ['required as a flag', { properties: { a: { required: true } } }, '/properties/a/required'],
    ['properties as a list', { properties: [] }, '/properties'],
    ['a schema that is a number', { properties: { a: 3 } }, '/properties/a'],
    ['an empty choice', { anyOf: [] }, '/anyOf'],
    ['a negative length', { minLength: -1 }, '/minLength'],
    ['multiples of nothing', { multipleOf: 0 }, '/multipleOf'],
    ['items as a list in 2020-12', { items: [{}] }, '/items'],
    ['a list of items in draft-07 with a wrong one', { $schema: DRAFT_07, items: [3] }, '/items/0'],
  ])('refuses %s', async (_, schema, pointer) => {
    expect((await validator.checkSchema(schema)).map((problem) => problem.pointer)).toContain(pointer)
  })

  test('accepts what generators write', async () => {
    const schema = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: 'https://example.org/weather.json',
      title: 'Weather',
      type: 'object',
      properties: { city: { type: 'string', examples: ['Bern'], default: 'Bern' }, days: { $ref: '#/$defs/Days' } },
      required: ['city'],
      $defs: { Days: { anyOf: [{ type: 'integer', minimum: 1 }, { type: 'null' }], 'x-unit': 'day' } },
    }
    expect(await validator.checkSchema(schema)).toEqual([])
    expect(
      await validator.checkSchema({ $schema: DRAFT_07, definitions: { a: {} }, items: [{ $ref: '#/definitions/a' }] }),
    ).toEqual([])
  })
})
