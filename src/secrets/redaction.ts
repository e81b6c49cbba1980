import { SkilletError } from '../model/errors.ts'
import { LIMITS } from '../model/sizes.ts'
import type { Redactor } from '../runtime/driver.ts'
import { SHORTEST } from './encodings.ts'
import { LONGEST, type Needles, indexNeedles } from './needles.ts'
import type { SecretRefs, SecretsService } from './secrets.ts'

/**
 * Takes the values out of text, in all their common forms. Time grows with the length of the text, and not with number, length or likeness
 * of the values: a tenant chooses both text and values.
 * @returns Null when there is nothing to look for: values of fewer than four characters are not.
 */
export async function createRedactor(values: readonly string[]): Promise<Redactor | null> {
  const needles = await indexNeedles(values)
  if (needles.all.length === 0) return null
  return {
    redact: (text) => hide(text, found(text, needles)),
    safeLength(text) {
      const open = openEnd(text, needles, 1)
      return found(text, needles).find(([from, to]) => from < open && open < to)?.[0] ?? open
    },
    redactPiece(text) {
      const spans = found(text, needles)
      const front = cutFront(text, needles)
      if (front > 0) spans.unshift([0, front])
      const open = openEnd(text, needles, SHORTEST)
      if (open < text.length) spans.push([open, text.length])
      return hide(text, spans)
    },
  }
}

/** What a run gets of its secrets, with what finds them again. @throws SkilletError as `resolve` does; secret_invalid when they are too long together */
export function withRedactor(resolve: SecretsService['resolve']) {
  return async (tenant: string, refs: SecretRefs) => {
    const resolved = await resolve(tenant, refs)
    const bytes = Object.values(resolved.env).reduce((sum, value) => sum + Buffer.byteLength(value), 0)
    if (bytes > LIMITS.runSecretBytes) {
      const limit = `more than the ${LIMITS.runSecretBytes} that one run may have`
      throw new SkilletError('secret_invalid', `The values have ${bytes} bytes together, ${limit}.`)
    }
    return { ...resolved, redactor: await createRedactor(resolved.values) }
  }
}

type Span = readonly [from: number, to: number]

const HIDDEN = '[redacted]'

/** Where needles stand: what overlaps or adjoins is one. */
function found(text: string, needles: Needles): Span[] {
  const spans: Span[] = []
  const places = needles.in(text)
  const last = text.length - SHORTEST
  for (let place = 0; place <= last; place++) {
    let end = place + places.longestAt(place)
    if (end === place) continue
    for (let inner = place + 1; inner <= Math.min(end, last); inner++) {
      end = Math.max(end, inner + places.longestAt(inner))
    }
    spans.push([place, end])
    place = end
  }
  return spans
}

/** Where what may be the beginning of a needle begins, if the text goes on. */
function openEnd(text: string, needles: Needles, atLeast: number): number {
  const places = needles.in(text)
  for (let place = Math.max(0, text.length - LONGEST + 1); place <= text.length - atLeast; place++) {
    if (!places.mayGoOn(place)) continue
    // To hold back too much costs nothing, to hide too much hides what somebody wants to read.
    if (atLeast === 1 || goesOn(text.slice(place), needles)) return place
  }
  return text.length
}

/** To look through more needles than this for each place would take long. */
const LOOKED_THROUGH = 2000

function goesOn(end: string, needles: Needles): boolean {
  if (needles.all.length > LOOKED_THROUGH) return true
  for (const needle of needles.all) if (needle.length > end.length && needle.startsWith(end)) return true
  return false
}

/** How much of the text's beginning may be the end of a needle whose beginning was cut off. */
function cutFront(text: string, needles: Needles): number {
  if (!needles.mayBeWithin(text)) return 0
  if (needles.all.length > LOOKED_THROUGH) return Math.min(text.length, LONGEST - 1)
  let front = 0
  const start = text.slice(0, SHORTEST)
  for (const needle of needles.all) {
    if (!needle.includes(start, 1)) continue
    for (let length = Math.min(needle.length - 1, text.length); length > Math.max(front, SHORTEST - 1); length--) {
      if (text.startsWith(needle.slice(-length))) front = length
    }
  }
  return front
}

function hide(text: string, spans: readonly Span[]): string {
  let clean = ''
  let shown = 0
  for (const [from, to] of spans.toSorted((a, b) => a[0] - b[0])) {
    if (clean === '' || from > shown) clean += text.slice(shown, from) + HIDDEN
    shown = Math.max(shown, to)
  }
  return clean + text.slice(shown)
}
