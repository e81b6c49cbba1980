/** The dialects of JSON Schema that are accepted. */
export type Dialect = '2020-12' | 'draft-07'

/** What a keyword holds: one schema, a list, a table of schemas, one schema or a list, or a table of schemas or of names. */
type Role = 'schema' | 'list' | 'map' | 'schema-or-list' | 'map-or-names'

interface KeywordSpec {
  readonly role: Role
  /** The subschema applies to the same value as its parent: a loop through such places never ends. */
  readonly inPlace?: true
  /** The subschemas apply only where a $ref names them. */
  readonly definition?: true
}

const IDENTIFIERS: Record<string, Dialect> = {
  'https://json-schema.org/draft/2020-12/schema': '2020-12',
  'http://json-schema.org/draft-07/schema': 'draft-07',
  'https://json-schema.org/draft-07/schema': 'draft-07',
}

/** The dialect that `$schema` names, 2020-12 without one, null for one that is not accepted. */
export function dialectOf(schema: unknown): Dialect | null {
  if (typeof schema !== 'object' || schema === null || !Object.hasOwn(schema, '$schema')) return '2020-12'
  const named = (schema as { $schema: unknown }).$schema
  if (typeof named !== 'string') return null
  const uri = named.replace(/#$/, '')
  return Object.hasOwn(IDENTIFIERS, uri) ? IDENTIFIERS[uri]! : null
}

const SHARED: Record<string, KeywordSpec> = {
  properties: { role: 'map' },
  patternProperties: { role: 'map' },
  additionalProperties: { role: 'schema' },
  propertyNames: { role: 'schema' },
  contains: { role: 'schema' },
  not: { role: 'schema', inPlace: true },
  if: { role: 'schema', inPlace: true },
  else: { role: 'schema', inPlace: true },
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  then: { role: 'schema', inPlace: true },
  allOf: { role: 'list', inPlace: true },
  anyOf: { role: 'list', inPlace: true },
  oneOf: { role: 'list', inPlace: true },
  // Both spellings in both dialects: generators mix them, and a definition applies only where it is named.
  $defs: { role: 'map', definition: true },
  definitions: { role: 'map', definition: true },
}

/** The keywords that hold schemas. */
export const APPLICATORS: Record<Dialect, ReadonlyMap<string, KeywordSpec>> = {
  '2020-12': new Map(
    Object.entries<KeywordSpec>({
      ...SHARED,
      items: { role: 'schema' },
      prefixItems: { role: 'list' },
      unevaluatedItems: { role: 'schema' },
      unevaluatedProperties: { role: 'schema' },
      dependentSchemas: { role: 'map', inPlace: true },
    }),
  ),
  'draft-07': new Map(
    Object.entries<KeywordSpec>({
      ...SHARED,
      items: { role: 'schema-or-list' },
      additionalItems: { role: 'schema' },
      dependencies: { role: 'map-or-names', inPlace: true },
    }),
  ),
}

const ASSERTIONS_07 =
  'type const enum required minProperties maxProperties minItems maxItems uniqueItems minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength pattern'.split(
    ' ',
  )

/** The keywords that assert something by themselves; `format` and `$ref` are treated apart. */
export const ASSERTIONS: Record<Dialect, readonly string[]> = {
  '2020-12': [...ASSERTIONS_07, 'dependentRequired', 'minContains', 'maxContains'],
  'draft-07': ASSERTIONS_07,
}

/** Keywords whose meaning cannot be kept here, so that a schema with them would accept what it must not. */
export const REFUSED_KEYWORDS: ReadonlyMap<string, string> = new Map([
  ['$dynamicRef', 'use $ref with $defs'],
  ['$dynamicAnchor', 'use $anchor'],
  ['$recursiveRef', 'use $ref: "#"'],
  ['$recursiveAnchor', 'use $ref: "#"'],
])

/** The formats that are asserted, and whether their check is linear, so that it needs no thread to be killed in. */
export const FORMATS: ReadonlyMap<string, 'linear' | 'watched'> = new Map([
  ['date-time', 'linear'],
  ['date', 'linear'],
  ['time', 'linear'],
  ['uuid', 'linear'],
  ['ipv4', 'linear'],
  ['email', 'watched'],
  ['uri', 'watched'],
  ['uri-reference', 'watched'],
  ['hostname', 'watched'],
  ['ipv6', 'watched'],
  ['duration', 'watched'],
  ['regex', 'watched'],
  ['json-pointer', 'watched'],
])
