import type { Dialect } from './dialects.ts'

// The two meta-schemas, written as one document each with plain references: the published 2020-12 one is spread over
// eight vocabularies that are joined by $dynamicRef, which the interpreter does not follow.

const SCHEMA = { $ref: '#' }
const SCHEMAS = { type: 'object', additionalProperties: SCHEMA }
const SCHEMA_LIST = { type: 'array', minItems: 1, items: SCHEMA }
const COUNT = { type: 'integer', minimum: 0 }
const NAMES = { type: 'array', items: { type: 'string' } }
const TYPE_NAME = { enum: ['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'] }
const TEXT = { type: 'string' }
const FLAG = { type: 'boolean' }
const NUMBER = { type: 'number' }

const SHARED = {
  $id: TEXT,
  $schema: TEXT,
  $ref: TEXT,
  $comment: TEXT,
  title: TEXT,
  description: TEXT,
  readOnly: FLAG,
  writeOnly: FLAG,
  examples: { type: 'array' },
  type: { anyOf: [TYPE_NAME, { type: 'array', items: TYPE_NAME, minItems: 1, uniqueItems: true }] },
  enum: { type: 'array', minItems: 1 },
  multipleOf: { type: 'number', exclusiveMinimum: 0 },
  maximum: NUMBER,
  exclusiveMaximum: NUMBER,
  minimum: NUMBER,
  exclusiveMinimum: NUMBER,
  maxLength: COUNT,
  minLength: COUNT,
  pattern: TEXT,
  maxItems: COUNT,
  minItems: COUNT,
  uniqueItems: FLAG,
  maxProperties: COUNT,
  minProperties: COUNT,
  required: NAMES,
  format: TEXT,
  contentMediaType: TEXT,
  contentEncoding: TEXT,
  $defs: SCHEMAS,
  definitions: SCHEMAS,
  properties: SCHEMAS,
  patternProperties: SCHEMAS,
  additionalProperties: SCHEMA,
  propertyNames: SCHEMA,
  contains: SCHEMA,
  allOf: SCHEMA_LIST,
  anyOf: SCHEMA_LIST,
  oneOf: SCHEMA_LIST,
  not: SCHEMA,
  if: SCHEMA,
  else: SCHEMA,
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  then: SCHEMA,
}

/** What every schema of a dialect must match. */
export const META_SCHEMAS: Record<Dialect, object> = {
  '2020-12': {
    type: ['object', 'boolean'],
    properties: {
      ...SHARED,
      $anchor: { type: 'string', pattern: '^[A-Za-z_][-A-Za-z0-9._]*$' },
      $vocabulary: { type: 'object', additionalProperties: FLAG },
      deprecated: FLAG,
      maxContains: COUNT,
      minContains: COUNT,
      items: SCHEMA,
      prefixItems: SCHEMA_LIST,
      unevaluatedItems: SCHEMA,
      unevaluatedProperties: SCHEMA,
      dependentSchemas: SCHEMAS,
      dependentRequired: { type: 'object', additionalProperties: NAMES },
      contentSchema: SCHEMA,
    },
  },
  'draft-07': {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: ['object', 'boolean'],
    properties: {
      ...SHARED,
      items: { anyOf: [SCHEMA, SCHEMA_LIST] },
      additionalItems: SCHEMA,
      dependencies: { type: 'object', additionalProperties: { anyOf: [SCHEMA, NAMES] } },
    },
  },
}
