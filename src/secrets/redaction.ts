import type { Redactor } from '../runtime/driver.ts'
import { SHORTEST, formsOf } from './encodings.ts'
import type { SecretRefs, SecretsService } from './secrets.ts'

/**
 * Takes the values out of text, in all their common forms. Time grows with the length of the text and not with the number of forms: most places of a text are
 * passed over after a look at two characters.
 * @returns Null when there is nothing to look for.
 */
export function createRedactor(values: readonly string[]): Redactor | null {
  const long = values.filter((value) => value.length >= SHORTEST)
  const needles = [...new Set(long.flatMap((value) => [...formsOf(value)]))]
  if (needles.length === 0) return null
  const starts = startsOf(needles)
  const longest = Math.max(...needles.map(({ length }) => length))

  /** The longest form that stands at this place, if any. */
  function at(text: string, place: number): string | undefined {
    if (!starts.mayBegin(text, place)) return undefined
    return starts.from(text, place)?.find((needle) => text.startsWith(needle, place))
  }

  /** Where what may begin at the end of the text begins, if it may. */
  function openEnd(text: string, from: number, atLeast = 1): number {
    for (let place = Math.max(from, text.length - longest + 1); place <= text.length - atLeast; place++) {
      const rest = text.length - place
      if (rest >= SHORTEST && !starts.mayBegin(text, place)) continue
      const candidates = rest >= SHORTEST ? (starts.from(text, place) ?? []) : needles
      const end = text.slice(place)
      if (candidates.some((needle) => needle.length > rest && needle.startsWith(end))) return place
    }
    return text.length
  }

  function* found(text: string): Generator<readonly [from: number, to: number]> {
    for (let place = 0; place <= text.length - SHORTEST; place++) {
      const needle = at(text, place)
      if (needle === undefined) continue
      let end = place + needle.length
      // Forms overlap: another one that begins within the first and ends behind it is hidden with it.
      for (let inner = place + 1; inner < end; inner++) end = Math.max(end, inner + (at(text, inner)?.length ?? 0))
      yield [place, end]
      place = end - 1
    }
  }

  function lastEnd(text: string): number {
    let last = 0
    for (const [, to] of found(text)) last = to
    return last
  }

  function redact(text: string): string {
    let clean = ''
    let shown = 0
    for (const [from, to] of found(text)) {
      clean += text.slice(shown, from) + HIDDEN
      shown = to
    }
    return shown === 0 ? text : clean + text.slice(shown)
  }

  return {
    redact,
    safeLength: (text) => openEnd(text, lastEnd(text)),
    redactPiece(text) {
      const front = cutFront(text, needles)
      const piece = text.slice(front)
      const end = openEnd(piece, lastEnd(piece), SHORTEST)
      const whole = redact(piece.slice(0, end))
      return `${front > 0 ? HIDDEN : ''}${whole}${end < piece.length ? HIDDEN : ''}`
    },
  }
}

/** What a run gets of its secrets, with what finds them again. */
export function withRedactor(resolve: SecretsService['resolve']) {
  return async (tenant: string, refs: SecretRefs) => {
    const resolved = await resolve(tenant, refs)
    return { ...resolved, redactor: createRedactor(resolved.values) }
  }
}

const HIDDEN = '[redacted]'

/** How much of the text's beginning may be the end of a form whose beginning was cut off. */
function cutFront(text: string, needles: readonly string[]): number {
  let front = 0
  for (const needle of needles) {
    for (let length = Math.min(needle.length - 1, text.length); length > Math.max(front, SHORTEST - 1); length--) {
      if (text.startsWith(needle.slice(-length))) front = length
    }
  }
  return front
}

/** An index of where needles may begin. */
function startsOf(needles: readonly string[]): {
  mayBegin(text: string, place: number): boolean
  from(text: string, place: number): readonly string[] | undefined
} {
  const pairs = new Uint8Array(65_536)
  const byStart = new Map<string, string[]>()
  for (const needle of needles.toSorted((a, b) => b.length - a.length)) {
    pairs[pairOf(needle, 0)] = 1
    const start = needle.slice(0, SHORTEST)
    const same = byStart.get(start)
    if (same === undefined) byStart.set(start, [needle])
    else same.push(needle)
  }
  return {
    mayBegin: (text, place) => pairs[pairOf(text, place)] === 1,
    from: (text, place) => byStart.get(text.slice(place, place + SHORTEST)),
  }
}

const pairOf = (text: string, place: number): number =>
  (text.charCodeAt(place) * 257 + text.charCodeAt(place + 1)) & 0xffff
