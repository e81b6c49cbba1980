import type { Problem } from '../model/errors.ts'

/** Of a pointer and of a message: names may be as long as what they stand in. */
const MOST_CHARS = 2000

/** A problem as it is told: as much of it as somebody reads. */
export function cutProblem({ pointer, message }: Problem): Problem {
  return { pointer: cut(pointer), message: cut(message) }
}

const cut = (text: string): string => (text.length > MOST_CHARS ? `${text.slice(0, MOST_CHARS)}…` : text)
