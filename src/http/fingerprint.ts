/** From this many characters on only an identical text counts as the same request: sorting a large one would hold everybody up. */
const SORTED_CHARS = 2 ** 18

/**
 * What an Idempotency-Key stands for: the same input to the same stage, however its members are ordered and spaced.
 * Hashed off the event loop. Returns 64 hex digits.
 */
export async function fingerprintOf(target: readonly string[], text: string, value: unknown): Promise<string> {
  const canonical = text.length < SORTED_CHARS ? JSON.stringify(sorted(value)) : text
  const bytes = new TextEncoder().encode([...target, canonical].join('\n'))
  return Buffer.from(await crypto.subtle.digest('SHA-256', bytes)).toString('hex')
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(members.map(([key, inner]) => [key, sorted(inner)]))
}
