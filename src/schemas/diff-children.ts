import { change, type Comparison, type SchemaChange } from './diff-change.ts'
import { escapeSegment, isObject, type Child, type Place } from './places.ts'

/** Keywords with one schema that every member must match: adding one narrows, removing one widens. */
const FOR_ALL = [
  'additionalProperties',
  'propertyNames',
  'unevaluatedProperties',
  'items',
  'additionalItems',
  'unevaluatedItems',
]
/** Keywords whose effect is not monotonous, or not worth proving: the same, or a major change. */
const SAME_OR_MAJOR = ['not', 'if', 'then', 'else', 'contains', 'patternProperties', 'dependencies', 'dependentSchemas']

export function compareChildren(at: Comparison): SchemaChange[] {
  const changes: SchemaChange[] = []
  for (const keyword of FOR_ALL) {
    const [old, young] = [single(at.before, keyword), single(at.after, keyword)]
    if (old === null && young === null) continue
    if (old !== null && young !== null) changes.push(...at.relate(old, young, `/${keyword}`))
    else
      changes.push(
        change(
          at,
          keyword,
          old === null ? 'narrower' : 'wider',
          `${keyword} ${old === null ? 'was added' : 'was removed'}`,
        ),
      )
  }
  for (const keyword of SAME_OR_MAJOR) {
    if (!sameTable(at, keyword)) changes.push(change(at, keyword, 'unknown', `${keyword} changed`))
  }
  const lists = ['prefixItems', 'items', 'allOf'].flatMap((keyword) => compareList(at, keyword))
  return [...changes, ...lists, ...compareReference(at)]
}

/** `anyOf` and `oneOf`. */
export function compareChoices(at: Comparison): SchemaChange[] {
  const changes: SchemaChange[] = []
  for (const keyword of ['anyOf', 'oneOf']) {
    const [old, young] = [listed(at.before, keyword), listed(at.after, keyword)]
    const same = (a: Place, b: Place) => at.relate(a, b, `/${keyword}`).length === 0
    const kept = old.every((a) => young.some((b) => same(a, b)))
    const known = young.every((b) => old.some((a) => same(a, b)))
    if (kept && known && (old.length === 0) === (young.length === 0)) continue
    // With oneOf another alternative may also take away what two of them match now.
    const provable = keyword === 'anyOf' && old.length > 0 && young.length > 0
    if (provable && (kept || known)) {
      changes.push(change(at, keyword, kept ? 'wider' : 'narrower', 'the alternatives changed'))
    } else if (provable && old.length === young.length) {
      changes.push(...old.flatMap((a, index) => at.relate(a, young[index]!, `/${keyword}/${index}`)))
    } else changes.push(change(at, keyword, 'unknown', `${keyword} changed`))
  }
  return changes
}

/** A plain schema that became one alternative of several (`string` -> `string or null`), or the other way. */
export function widensToChoice(at: Comparison): SchemaChange[] | null {
  for (const [lone, choice, moved] of [
    [at.before, at.after, 'wider'],
    [at.after, at.before, 'narrower'],
  ] as const) {
    if (!isOnlyAnyOf(choice) || listed(lone, 'anyOf').length > 0) continue
    const same = listed(choice, 'anyOf').some(
      (option) => (moved === 'wider' ? at.relate(lone, option, '') : at.relate(option, lone, '')).length === 0,
    )
    if (same)
      return [change(at, 'anyOf', moved, moved === 'wider' ? 'alternatives were added' : 'alternatives were removed')]
  }
  return null
}

const BESIDE_ANY_OF = new Set(['anyOf', 'title', 'description', 'examples', '$comment', 'deprecated'])

function isOnlyAnyOf({ schema }: Place): boolean {
  return (
    isObject(schema) && Object.hasOwn(schema, 'anyOf') && Object.keys(schema).every((key) => BESIDE_ANY_OF.has(key))
  )
}

function compareList(at: Comparison, keyword: string): SchemaChange[] {
  const [old, young] = [listed(at.before, keyword), listed(at.after, keyword)]
  if (old.length === young.length) {
    return old.flatMap((place, index) => at.relate(place, young[index]!, `/${keyword}/${index}`))
  }
  if (keyword !== 'allOf') return [change(at, keyword, 'unknown', `${keyword} changed its length`)]
  const same = (a: Place, b: Place) => at.relate(a, b, `/${keyword}`).length === 0
  if (old.every((a) => young.some((b) => same(a, b)))) return [change(at, keyword, 'narrower', 'a condition was added')]
  if (young.every((b) => old.some((a) => same(a, b)))) return [change(at, keyword, 'wider', 'a condition was removed')]
  return [change(at, keyword, 'unknown', 'allOf changed')]
}

/** A reference with keywords beside it; lone ones were followed already. */
function compareReference(at: Comparison): SchemaChange[] {
  const [old, young] = [at.before.target, at.after.target]
  if (old === null && young === null) return []
  if (old !== null && young !== null) return at.relate(old, young, '/$ref')
  return [change(at, '$ref', 'unknown', `$ref was ${old === null ? 'added' : 'removed'}`)]
}

function sameTable(at: Comparison, keyword: string): boolean {
  const table = (place: Place) => new Map(of(place, keyword).map((child) => [child.key ?? '', child.place]))
  const [old, young] = [table(at.before), table(at.after)]
  if (old.size !== young.size) return false
  return [...old].every(([key, place]) => {
    const other = young.get(key)
    return other !== undefined && at.relate(place, other, `/${keyword}/${escapeSegment(key)}`).length === 0
  })
}

const of = (place: Place, keyword: string): Child[] => place.children.filter((child) => child.keyword === keyword)

/** The one schema of a keyword; `true` counts as none. */
function single(place: Place, keyword: string): Place | null {
  const child = of(place, keyword).find(({ key }) => key === null)
  return child === undefined || child.place.schema === true ? null : child.place
}

const listed = (place: Place, keyword: string): Place[] =>
  of(place, keyword)
    .filter(({ key }) => key !== null)
    .map((child) => child.place)
