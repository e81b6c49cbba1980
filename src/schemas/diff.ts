import type { ChangeLevel } from '../model/skills.ts'
import type { Comparison, SchemaChange, Side } from './diff-change.ts'
import { compareKeywords } from './diff-keywords.ts'
import { dialectOf, type Dialect } from './dialects.ts'
import { type Budget, createBudget } from './diff-budget.ts'
import { indexPlaces, isObject, type Place } from './places.ts'

/** The schemas of one package. Expects schemas that `checkSchema` accepted. */
export interface Schemas {
  readonly input: Record<string, unknown>
  readonly output: Record<string, unknown> | null
}

/**
 * The smallest honest change level between two packages.
 *
 * patch: nothing that callers or readers can notice. minor: callers of the old one need no change (new optional inputs, inputs accepted
 * more widely) and readers of its results neither (more outputs, tighter promises, a first output schema). major: the rest,
 * and whatever cannot be proven to be less.
 */
export function compareSchemas(before: Schemas, after: Schemas): { level: ChangeLevel; changes: SchemaChange[] } {
  const changes = [
    ...compare('input', before.input, after.input),
    ...(before.output === null || after.output === null
      ? outputAppeared(before.output, after.output)
      : compare('output', before.output, after.output)),
  ]
  const level = changes.reduce<ChangeLevel>((most, change) => higher(most, change.level), 'patch')
  return { level, changes }
}

function outputAppeared(before: Schemas['output'], after: Schemas['output']): SchemaChange[] {
  if (before === null && after === null) return []
  // A new promise breaks nobody who had none; a withdrawn one may.
  return after !== null
    ? [{ path: '/output', what: 'an output schema was added', level: 'minor' }]
    : [{ path: '/output', what: 'the output schema was removed', level: 'major' }]
}

/** Deeper than this the answer is "cannot be proven". */
const MOST_DEPTH = 200
/** Of one side; who has more of them reads no list. */
const MOST_CHANGES = 500
/** Of a path, and of what is said: names in a schema may be as long as the schema. */
const MOST_CHARS = 1000

function compare(side: Side, before: Record<string, unknown>, after: Record<string, unknown>): SchemaChange[] {
  const [old, young] = [dialectOf(before), dialectOf(after)]
  if (old === null || young === null || old !== young) {
    return [{ path: `/${side}/$schema`, what: 'the dialect of JSON Schema changed', level: 'major' }]
  }
  const budget = createBudget()
  const changes = relate(side, root(before, old), root(after, young), `/${side}`, budget, null)
  if (budget.spent) return [{ path: `/${side}`, what: 'the schemas are too large to be compared', level: 'major' }]
  return changes.map(({ path, what, level }) => ({ path: cut(path), what: cut(what), level }))
}

const cut = (text: string): string => (text.length > MOST_CHARS ? `${text.slice(0, MOST_CHARS)}…` : text)

/** As many as are told, the gravest of them. */
function told(changes: SchemaChange[]): SchemaChange[] {
  if (changes.length <= MOST_CHANGES) return changes
  return LEVELS.toReversed()
    .flatMap((level) => changes.filter((change) => change.level === level))
    .slice(0, MOST_CHANGES)
}

const root = (schema: unknown, dialect: Dialect): Place => indexPlaces(schema, dialect)[0]

/** @param open Pairs that are being compared: a recursive schema meets them again and may assume that they fit. */
function relate(
  side: Side,
  before: Place,
  after: Place,
  path: string,
  budget: Budget,
  open: Open | null,
): SchemaChange[] {
  if (budget.spent) return []
  const old = follow(before)
  const young = follow(after)
  if (isOpen(open, old, young)) return []
  const inner = { before: old, after: young, outer: open, depth: (open?.depth ?? 0) + 1 }
  if (inner.depth > MOST_DEPTH) budget.spend()
  if (!budget.take(old, young)) return []
  const comparison: Comparison = {
    side,
    path,
    before: old,
    after: young,
    relate: (a, b, below) => relate(side, a, b, `${path}${below}`, budget, inner),
  }
  return told(compareKeywords(comparison))
}

/** Two places that are being compared, and those they lie in. */
interface Open {
  readonly before: Place
  readonly after: Place
  readonly outer: Open | null
  readonly depth: number
}

function isOpen(open: Open | null, before: Place, after: Place): boolean {
  for (let at = open; at !== null; at = at.outer) if (at.before === before && at.after === after) return true
  return false
}

/** Through references that stand alone: moving a definition changes nothing. */
function follow(place: Place): Place {
  let found = place
  for (let hops = 0; found.target !== null && hops < 1000; hops++) {
    const siblings = isObject(found.schema)
      ? Object.keys(found.schema).filter((key) => !IGNORED_BESIDE_REF.has(key))
      : []
    if (siblings.length > 0) return found
    found = found.target
  }
  return found
}

const IGNORED_BESIDE_REF = new Set([
  '$ref',
  'title',
  'description',
  '$comment',
  '$defs',
  'definitions',
  '$schema',
  '$id',
])

const LEVELS: readonly ChangeLevel[] = ['patch', 'minor', 'major']

function higher(a: ChangeLevel, b: ChangeLevel): ChangeLevel {
  return LEVELS.indexOf(a) >= LEVELS.indexOf(b) ? a : b
}
