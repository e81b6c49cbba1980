import { measure } from './measure.ts'
import { APPLICATORS } from './dialects.ts'
import { isObject, type Place } from './places.ts'

/** How much one comparison of two schemas may look at: comparing choices is quadratic, and references multiply whatever they lead to. */
export interface Budget {
  /** All was not looked at: nothing is proven. */
  readonly spent: boolean
  /** For comparing these two, without what is below them. @returns Whether that may be done. */
  take(before: Place, after: Place): boolean
  /** Ends it. */
  spend(): void
}

/** Pairs of places. */
const MOST_STEPS = 4000
/** Members, values and 64 characters each. The two largest schemas that are taken have less than this together. */
const MOST_LOOKS = 150_000

export function createBudget(): Budget {
  let [steps, looks] = [MOST_STEPS, MOST_LOOKS]
  const weights = new Map<Place, number>()

  function weightOf(place: Place): number {
    let weight = weights.get(place)
    if (weight === undefined) weights.set(place, (weight = weigh(place)))
    return weight
  }

  return {
    get spent() {
      return steps <= 0 || looks <= 0
    },
    take(before, after) {
      if (steps <= 0 || looks <= 0) return false
      steps--
      looks -= weightOf(before) + weightOf(after)
      return steps > 0 && looks > 0
    },
    spend() {
      steps = 0
    },
  }
}

function weigh({ schema, children }: Place): number {
  if (!isObject(schema)) return 1
  let weight = 1 + children.length
  for (const [keyword, value] of Object.entries(schema)) {
    if (HOLDERS.has(keyword)) continue
    const { nodes, chars } = measure(value, { nodes: Infinity, chars: Infinity, depth: Infinity })
    weight += nodes + Math.ceil((keyword.length + chars) / 64)
  }
  return weight
}

/** What they hold is weighed by itself. */
const HOLDERS = new Set([...APPLICATORS['2020-12'].keys(), ...APPLICATORS['draft-07'].keys()])
