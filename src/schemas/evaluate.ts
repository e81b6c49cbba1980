import { validate, type OutputUnit } from '@cfworker/json-schema'
import type { Problem } from '../model/errors.ts'
import { LIMITS } from '../model/sizes.ts'
import type { Compiled } from './compile.ts'
import { measure } from './measure.ts'
import { cutProblem } from './cut-problem.ts'
import { explain } from './messages.ts'

/** How many problems of one value are told. */
const MOST_PROBLEMS = 100

export const TOO_DEEP: Problem = { pointer: '', message: `nests deeper than ${LIMITS.valueDepth} levels` }

/** Listing every problem takes memory and time for each; of a larger value only the first is told. */
const MOST_LISTED_NODES = 20_000

/** Checks a value on the spot. Its time is bounded only by schema and value: see `isBounded` and the worker. Never throws for either. */
export function evaluate(compiled: Compiled, value: unknown, onlyFirst = false): Problem[] {
  if (value === undefined) return [{ pointer: '', message: 'There is no value.' }]
  try {
    const result = validate(value, compiled.root, compiled.draft, compiled.lookup, onlyFirst)
    return result.valid ? [] : toProblems(compiled, value, result.errors)
  } catch (error) {
    if (error instanceof URIError) return [{ pointer: '', message: 'has a property name that is not valid Unicode' }]
    if (!(error instanceof RangeError)) throw error
    return [{ pointer: '', message: 'is too deep or too large to be checked against this schema' }]
  }
}

/** Like `evaluate`, for a value of any depth and size. */
export function evaluateAny(compiled: Compiled, value: unknown): Problem[] {
  const size = measure(value, { nodes: Infinity, chars: Infinity, depth: LIMITS.valueDepth })
  return size.over ? [TOO_DEEP] : evaluate(compiled, value, size.nodes > MOST_LISTED_NODES)
}

/**
 * The interpreter lists a container's error before those of its parts. Only the innermost say something, except below a choice:
 * there the parts contradict each other, so the choice speaks for them.
 */
function toProblems(compiled: Compiled, value: unknown, errors: OutputUnit[]): Problem[] {
  const problems = new Map<string, Problem>()
  for (let index = 0; index < errors.length && problems.size < MOST_PROBLEMS; index++) {
    const error = errors[index]!
    let below: OutputUnit[] = []
    if (CHOICES.has(error.keyword)) {
      below = errors.slice(index + 1, endOfParts(errors, index))
      const only = onlyCandidate(error, below)
      if (only !== null) {
        // One alternative has the right type: its errors are the ones that help. They come next.
        errors.splice(index + 1, below.length, ...only)
        continue
      }
    }
    const problem = explain(compiled, value, error)
    index += below.length
    if (problem !== null) problems.set(`${problem.pointer} ${problem.message}`, problem)
  }
  return [...problems.values()].map(cutProblem)
}

const CHOICES = new Set(['anyOf', 'oneOf', 'contains'])

function endOfParts(errors: OutputUnit[], index: number): number {
  const { keywordLocation, instanceLocation } = errors[index]!
  let end = index + 1
  while (end < errors.length) {
    const part = errors[end]!
    if (part.keyword !== 'false' && !part.keywordLocation.startsWith(`${keywordLocation}/`)) break
    if (!part.instanceLocation.startsWith(instanceLocation)) break
    end++
  }
  return end
}

/** The errors of the one alternative that the value could have been meant for, judged by its type. */
function onlyCandidate(choice: OutputUnit, parts: OutputUnit[]): OutputUnit[] | null {
  if (choice.keyword === 'contains' || (choice.error.includes('matches)') && !choice.error.includes('(0 matches)')))
    return null
  const groups = new Map<string, OutputUnit[]>()
  let group = ''
  for (const part of parts) {
    if (part.keyword !== 'false') group = part.keywordLocation.slice(choice.keywordLocation.length + 1).split('/')[0]!
    groups.set(group, [...(groups.get(group) ?? []), part])
  }
  const candidates = [...groups.values()].filter((errors) => !errors.some((part) => isOfAnotherKind(choice, part)))
  return candidates.length === 1 ? candidates[0]! : null
}

const isOfAnotherKind = (choice: OutputUnit, part: OutputUnit): boolean =>
  part.instanceLocation === choice.instanceLocation && ['type', 'const', 'enum'].includes(part.keyword)
