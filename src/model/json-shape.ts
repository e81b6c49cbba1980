import { LIMITS } from './sizes.ts'

/** Nothing that people write nests deeper; what serialises and checks values recurses, so deeper ones are refused. */
const MAX_DEPTH = 200

/** What a text of JSON would cost more than its length says: it nests too deep, or building it takes many times as long as reading it. */
export type Excess = 'depth' | 'containers' | 'shapes'

/**
 * Looks at the text alone, before anything is built of it: a short one is not looked at. What is no JSON has any answer.
 * @param maxDepth Default 200. @returns Null when there is nothing against parsing it.
 */
export function excessOf(text: string, maxDepth: number = MAX_DEPTH): Excess | null {
  if (text.length <= 2 * MAX_DEPTH) return null
  const shapes = text.length > LIMITS.jsonShapes * SHORTEST_MEMBER ? new Set<number>() : null
  /** Of the names so far in what is open at each level. */
  const begun = new Int32Array(maxDepth + 1)
  let [depth, containers] = [0, 0]
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22: {
        // "
        const end = endOfString(text, i)
        if (shapes !== null && isName(text, end)) {
          begun[depth] = fingerprint(begun[depth]!, text, i + 1, end)
          shapes.add(begun[depth]!)
          if (shapes.size > LIMITS.jsonShapes) return 'shapes'
        }
        i = end
        break
      }
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > maxDepth) return 'depth'
        if (++containers > LIMITS.jsonContainers) return 'containers'
        begun[depth] = 0
        break
      case 0x5d: // ]
      case 0x7d: // }
        depth = Math.max(0, depth - 1)
        break
    }
  }
  return null
}

/** The excess in words, as the end of a sentence. */
export const EXCESS: Readonly<Record<Excess, string>> = {
  depth: `nests deeper than ${MAX_DEPTH} levels`,
  containers: `has more than ${LIMITS.jsonContainers} lists and objects`,
  shapes: `has more than ${LIMITS.jsonShapes} different names of members, or orders of them: send a list of entries instead of an object of them`,
}

/** `"":0,` */
const SHORTEST_MEMBER = 5

/** Where the string that opens at `start` closes: at the next quote with an even number of backslashes before it. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === 0x5c) slashes++
    if (slashes % 2 === 0) return end
  }
  return text.length
}

/** Whether a colon follows the string. */
function isName(text: string, end: number): boolean {
  for (let i = end + 1; i < text.length; i++) {
    const char = text.charCodeAt(i)
    if (char > 0x20) return char === 0x3a
  }
  return false
}

/** Odd, and nobody outside can know it: names that have one fingerprint are none that somebody chose. */
const BASE = Math.floor(Math.random() * 2 ** 29) * 8 + 5

/** Of what came before, and the name: the engine makes a class of objects of each such beginning. */
function fingerprint(before: number, text: string, from: number, to: number): number {
  let sum = (Math.imul(before, BASE) + 1 + to - from) | 0
  for (let i = from; i < to; i++) sum = (Math.imul(sum, BASE) + text.charCodeAt(i)) | 0
  return sum
}
