import { sharedTurn } from './shared-turn.ts'

/** Texts of values that are at hand. Values are never changed once they are made; with a value its text goes, too. */
const texts = new WeakMap<object, string>()

/** From this many characters on reading or writing a text takes a millisecond and more. */
const LONG_CHARS = 65_536

/** Before each step of some milliseconds that goes through all of a long text: others get their turn first. At once for a short one. */
export async function turnFor(text: string): Promise<void> {
  if (text.length >= LONG_CHARS) await sharedTurn()
}

/**
 * The value as JSON, like `JSON.stringify`. A large one is written once, however many ask: each time would take the only thread there is
 * tens of milliseconds. @throws RangeError for one that nests too deep
 */
export function jsonText(value: unknown): string {
  // A value that is not there, such as an input of undefined, is the null that it would be read as.
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null)
  const known = texts.get(value)
  if (known !== undefined) return known
  const text = JSON.stringify(value)
  keep(value, text)
  return text
}

/** The value of a text, whose text is then known. @throws SyntaxError */
export function jsonValue(text: string): unknown {
  const value: unknown = JSON.parse(text)
  if (typeof value === 'object' && value !== null) keep(value, text)
  return value
}

/** An object as JSON, with the values of some members given as JSON; they come last. */
export function jsonWith(rest: object, members: Readonly<Record<string, string>>): string {
  const more = Object.entries(members).map(([name, text]) => `${JSON.stringify(name)}:${text}`)
  const begun = JSON.stringify(rest).slice(0, -1)
  return `${begun}${begun === '{' || more.length === 0 ? '' : ','}${more.join(',')}}`
}

function keep(value: object, text: string): void {
  if (text.length >= LONG_CHARS) texts.set(value, text)
}
