import { change, type Comparison, type SchemaChange } from './diff-change.ts'
import { escapeSegment, own, type Child, type Place, type SchemaObject } from './places.ts'

/** `properties` and `required`: where the words of the change levels (optional input, extra output) are decided. */
export function compareProperties(at: Comparison, before: SchemaObject, after: SchemaObject): SchemaChange[] {
  const [old, young] = [properties(at.before), properties(at.after)]
  const changes: SchemaChange[] = []
  const demanded = required(after)
  const others = at.before.children.find(({ keyword }) => keyword === 'additionalProperties')?.place
  for (const [key, place] of young) {
    const was = old.get(key)
    const below = `/properties/${escapeSegment(key)}`
    if (was !== undefined) changes.push(...at.relate(was, place, below))
    else changes.push(...added(at, key, place, before, others, demanded.has(key)))
  }
  for (const key of old.keys()) {
    if (young.has(key)) continue
    changes.push({ path: `${at.path}/properties/${escapeSegment(key)}`, what: `"${key}" was removed`, level: 'major' })
  }
  return [...changes, ...compareRequired(at, before, after, old, young)]
}

/** @param others What held for all other properties until now. */
function added(
  at: Comparison,
  key: string,
  place: Place,
  before: SchemaObject,
  others: Place | undefined,
  demanded: boolean,
): SchemaChange[] {
  const path = `${at.path}/properties/${escapeSegment(key)}`
  // Until now a rule for all other properties held for this one too.
  if (Object.hasOwn(before, 'patternProperties')) {
    return [{ path, what: `"${key}" was added beside patternProperties`, level: 'major' }]
  }
  const closed = own(before, 'additionalProperties') === false || own(before, 'unevaluatedProperties') === false
  const typed = others !== undefined && typeof others.schema !== 'boolean'
  const tightened = typed ? at.relate(others, place, `/properties/${escapeSegment(key)}`) : []
  if (at.side === 'input') {
    const what = demanded ? `the required input "${key}" was added` : `the optional input "${key}" was added`
    return [{ path, what, level: demanded ? 'major' : 'minor' }, ...tightened]
  }
  const what = closed
    ? `the output "${key}" was added, which readers of the old schema do not allow`
    : `the output "${key}" was added`
  return [{ path, what, level: closed ? 'major' : 'minor' }, ...tightened]
}

function compareRequired(
  at: Comparison,
  before: SchemaObject,
  after: SchemaObject,
  old: Map<string, Place>,
  young: Map<string, Place>,
): SchemaChange[] {
  const changes: SchemaChange[] = []
  const [was, is] = [required(before), required(after)]
  for (const key of is) {
    const isNew = young.has(key) && !old.has(key)
    if (was.has(key) || isNew) continue
    changes.push(change(at, 'required', 'narrower', `"${key}" became required`))
  }
  for (const key of was) {
    const isGone = old.has(key) && !young.has(key)
    if (is.has(key) || isGone) continue
    changes.push(change(at, 'required', 'wider', `"${key}" became optional`))
  }
  return changes
}

function properties(place: Place): Map<string, Place> {
  const named = place.children.filter(
    (child): child is Child & { key: string } => child.keyword === 'properties' && child.key !== null,
  )
  return new Map(named.map((child) => [child.key, child.place]))
}

function required(schema: SchemaObject): Set<string> {
  const names = own(schema, 'required')
  return new Set(Array.isArray(names) ? (names as string[]) : [])
}
