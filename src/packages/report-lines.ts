import type { z } from 'zod'

/** Programs write one line for each file that they read and some hundred findings. */
const MOST_LINES = 10_000
/** The last line of a program that was stopped is cut off, and what it runs may have said something. */
const MOST_UNREADABLE = 20
/** The lock file of a large package is one line. */
const MOST_CHARS = 8 * 2 ** 20

/**
 * What a program in a sandbox said, one JSON object a line. What strangers wrote may have run beside it and have written too: reading ends
 * where no program of ours would have gone on, so that what follows, the end of the report too, was not said.
 */
export function* reportLines<T>(text: string, schema: z.ZodType<T>): Generator<T, void> {
  let unreadable = 0
  for (let line = 0, at = 0; line < MOST_LINES && at < text.length; line++) {
    const newline = text.indexOf('\n', at)
    const end = newline === -1 ? text.length : newline
    if (end - at > MOST_CHARS) return
    const value = parseLine(text.slice(at, end), schema)
    at = end + 1
    if (value !== null) yield value
    else if (++unreadable > MOST_UNREADABLE) return
  }
}

function parseLine<T>(text: string, schema: z.ZodType<T>): T | null {
  try {
    return schema.parse(JSON.parse(text))
  } catch {
    return null
  }
}
