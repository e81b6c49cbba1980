import { compareChildren, compareChoices, widensToChoice } from './diff-children.ts'
import { compareProperties } from './diff-properties.ts'
import { change, type Comparison, type Direction, type SchemaChange } from './diff-change.ts'
import { isObject, own, type SchemaObject } from './places.ts'

/** All changes between two schemas, keyword by keyword. */
export function compareKeywords(at: Comparison): SchemaChange[] {
  const old = at.before.schema
  const young = at.after.schema
  if (old === false || young === false) {
    if (old === young) return []
    return [change(at, '', old === false ? 'wider' : 'narrower', 'whether anything is accepted changed')]
  }
  const toChoice = widensToChoice(at)
  if (toChoice !== null) return toChoice
  const before = isObject(old) ? old : {}
  const after = isObject(young) ? young : {}
  return [
    ...compareTypes(at, before, after),
    ...compareValues(at, before, after),
    ...compareBounds(at, before, after),
    ...comparePresence(at, before, after),
    ...compareProperties(at, before, after),
    ...compareChildren(at),
    ...compareChoices(at),
    ...compareDefault(at, before, after),
    ...compareRest(at, before, after),
  ]
}

const TYPES = ['array', 'boolean', 'null', 'number', 'object', 'string']

function compareTypes(at: Comparison, before: SchemaObject, after: SchemaObject): SchemaChange[] {
  const [old, young] = [types(before), types(after)]
  const [wider, narrower] = [covers(young, old), covers(old, young)]
  if (wider && narrower) return []
  const what = `the type changed from ${canonical(own(before, 'type') ?? 'any')} to ${canonical(own(after, 'type') ?? 'any')}`
  return [change(at, 'type', direction(wider, narrower), what)]
}

const types = (schema: SchemaObject): string[] => [own(schema, 'type') ?? TYPES].flat() as string[]

const covers = (a: string[], b: string[]): boolean =>
  b.every((type) => a.includes(type) || (type === 'integer' && a.includes('number')))

const direction = (wider: boolean, narrower: boolean): Direction =>
  wider ? 'wider' : narrower ? 'narrower' : 'unknown'

function compareValues(at: Comparison, before: SchemaObject, after: SchemaObject): SchemaChange[] {
  const [old, young] = [allowedValues(before), allowedValues(after)]
  if (old === null && young === null) return []
  const wider = young === null || (old !== null && isWithin(old, young))
  const narrower = old === null || (young !== null && isWithin(young, old))
  if (wider && narrower) return []
  return [change(at, 'enum', direction(wider, narrower), 'the allowed values changed')]
}

const isWithin = (part: Set<string>, whole: Set<string>): boolean => [...part].every((value) => whole.has(value))

function allowedValues(schema: SchemaObject): Set<string> | null {
  if (Object.hasOwn(schema, 'const')) return new Set([canonical(schema['const'])])
  const list = own(schema, 'enum')
  return Array.isArray(list) ? new Set(list.map(canonical)) : null
}

const LOWER = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties']
const UPPER = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties']

function compareBounds(at: Comparison, before: SchemaObject, after: SchemaObject): SchemaChange[] {
  const changes: SchemaChange[] = []
  for (const keyword of [...LOWER, ...UPPER]) {
    const sign = LOWER.includes(keyword) ? 1 : -1
    const bound = (schema: SchemaObject) => {
      const value = own(schema, keyword)
      // A count of at least 0 says nothing.
      return typeof value !== 'number' || (value === 0 && /^min[A-Z]/.test(keyword)) ? -Infinity : value * sign
    }
    const [old, young] = [bound(before), bound(after)]
    if (old === young) continue
    const what = `${keyword} changed from ${canonical(own(before, keyword) ?? 'none')} to ${canonical(own(after, keyword) ?? 'none')}`
    changes.push(change(at, keyword, young < old ? 'wider' : 'narrower', what))
  }
  return changes
}

const CONDITIONS = [
  'pattern',
  'format',
  'multipleOf',
  'uniqueItems',
  'dependentRequired',
  'dependencies',
  'minContains',
  'maxContains',
]

/** Conditions that are only compared for being the same. */
function comparePresence(at: Comparison, before: SchemaObject, after: SchemaObject): SchemaChange[] {
  const changes: SchemaChange[] = []
  for (const keyword of CONDITIONS) {
    const value = (schema: SchemaObject) => (own(schema, keyword) === false ? undefined : own(schema, keyword))
    const [old, young] = [value(before), value(after)]
    if (canonical(old) === canonical(young)) continue
    const counts = keyword.endsWith('Contains')
    const moved = counts ? 'unknown' : old === undefined ? 'narrower' : young === undefined ? 'wider' : 'unknown'
    const verb = old === undefined ? 'was added' : young === undefined ? 'was removed' : 'changed'
    changes.push(change(at, keyword, moved, `${keyword} ${verb}`))
  }
  return changes
}

/** Defaults are filled in for callers, so another default is another behaviour, though nobody's call breaks. */
function compareDefault(at: Comparison, before: SchemaObject, after: SchemaObject): SchemaChange[] {
  if (at.side === 'output' || canonical(own(before, 'default')) === canonical(own(after, 'default'))) return []
  return [{ path: `${at.path}/default`, what: 'the default changed', level: 'minor' }]
}

const COMPARED = new Set([
  ...LOWER,
  ...UPPER,
  ...CONDITIONS,
  ...words('type enum const default required $ref $defs definitions $anchor $id $schema properties patternProperties'),
  ...words(
    'additionalProperties propertyNames unevaluatedProperties items prefixItems additionalItems unevaluatedItems',
  ),
  ...words('contains dependencies dependentSchemas allOf anyOf oneOf not if then else'),
  // Annotations: they change nothing that is accepted or returned.
  ...words('title description examples $comment deprecated readOnly writeOnly contentMediaType contentEncoding'),
  ...words('contentSchema $vocabulary'),
])

function words(text: string): string[] {
  return text.split(' ')
}

function compareRest(at: Comparison, before: SchemaObject, after: SchemaObject): SchemaChange[] {
  const unknown = new Set([...Object.keys(before), ...Object.keys(after)].filter((key) => !COMPARED.has(key)))
  return [...unknown]
    .filter((key) => canonical(own(before, key)) !== canonical(own(after, key)))
    .map((key) => change(at, key, 'unknown', `"${key}" changed, and what it means is not known`))
}

/** JSON with sorted keys: equal text for equal values. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (!isObject(value)) return JSON.stringify(value) ?? 'undefined'
  const members = Object.keys(value).toSorted()
  return `{${members.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`
}
