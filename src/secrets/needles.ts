import { sharedTurn } from '../model/shared-turn.ts'
import { SHORTEST, formsOf } from './encodings.ts'

/**
 * What is looked for, so indexed that looking takes time by the length of the text alone: a tenant chooses both text and values. It goes
 * by fingerprints; where one is mistaken, about once in 2^50, too much is hidden.
 */
export interface Needles {
  readonly all: readonly string[]
  in(text: string): Places
  /** Whether the beginning of the text may stand within a needle, not at its beginning. Errs on the side of yes. */
  mayBeWithin(text: string): boolean
}

/** Places of one text. Good until another text is looked at. */
interface Places {
  /** Length of the longest needle that stands there; 0 for none. */
  longestAt(place: number): number
  /** True when what stands from there to the end of the text may be the beginning of a needle. Errs on the side of yes. */
  mayGoOn(place: number): boolean
}

/** A form that is longer is looked for in parts of this length, the last of which overlaps the one before. */
export const LONGEST = 64

/** Makes way for others now and then: many long values make many forms. */
export async function indexNeedles(values: readonly string[]): Promise<Needles> {
  const all: string[] = []
  const known = new Set<number>()
  const firsts = new Set<number>()
  const size = 2 ** Math.ceil(Math.log2(values.reduce((sum, { length }) => sum + 2 * length, 8 * LONGEST)))
  /** By the fingerprint of their first characters, the lengths of needles: bit 0 of `short` is length 1, bit 0 of `long` length 33. */
  const heads = { short: new Int32Array(size), long: new Int32Array(size) }
  /** So many bits that few of them are set: a look that costs less than one into `known`. */
  const marks = new Uint8Array(2 * size)
  /** The same, of all SHORTEST characters within needles. */
  const inner = new Uint8Array(2 * size)
  const isSet = (bits: Uint8Array, mark: number): boolean =>
    (bits[(mark >>> 3) & (2 * size - 1)]! & (1 << (mark & 7))) !== 0
  const set = (bits: Uint8Array, mark: number): void => void (bits[(mark >>> 3) & (2 * size - 1)]! |= 1 << (mark & 7))
  let sums = sumsOf('', null)

  function insert(needle: string): void {
    sums = sumsOf(needle, sums)
    const a = part(sums.a, POWERS.a, 0, needle.length)
    const key = keyOf(a, part(sums.b, POWERS.b, 0, needle.length))
    if (known.has(key)) return
    known.add(key)
    all.push(needle)
    firsts.add(needle.charCodeAt(0))
    set(marks, spread(a))
    for (let i = 1; i + SHORTEST <= needle.length; i++) set(inner, spread(part(sums.a, POWERS.a, i, SHORTEST)))
    const head = spread(part(sums.a, POWERS.a, 0, SHORTEST)) & (size - 1)
    if (needle.length > 32) heads.long[head]! |= 1 << (needle.length - 33)
    else heads.short[head]! |= 1 << (needle.length - 1)
  }

  let work = 0
  for (const value of values) {
    for (const form of formsOf(value)) {
      for (const each of partsOf(form)) insert(each)
      work += form.length
      if (work < TURN) continue
      work = 0
      await sharedTurn()
    }
  }

  function placesIn(text: string): Places {
    sums = sumsOf(text, sums)
    const { a, b } = sums

    function stands(place: number, length: number): boolean {
      const first = part(a, POWERS.a, place, length)
      if (!isSet(marks, spread(first))) return false
      return known.has(keyOf(first, part(b, POWERS.b, place, length)))
    }

    function longest(place: number, lengths: number, from: number): number {
      for (let left = lengths; left !== 0;) {
        const bit = 31 - Math.clz32(left)
        left ^= 1 << bit
        const length = from + bit
        if (place + length <= text.length && stands(place, length)) return length
      }
      return 0
    }

    const headAt = (place: number): number => spread(part(a, POWERS.a, place, SHORTEST)) & (size - 1)
    return {
      longestAt(place) {
        const head = headAt(place)
        return longest(place, heads.long[head]!, 33) || longest(place, heads.short[head]!, 1)
      },
      mayGoOn(place) {
        const rest = text.length - place
        if (rest < SHORTEST) return firsts.has(text.charCodeAt(place))
        const head = headAt(place)
        const most = heads.long[head] === 0 ? 32 - Math.clz32(heads.short[head]!) : 64 - Math.clz32(heads.long[head]!)
        return most > rest
      },
    }
  }

  return {
    all,
    in: placesIn,
    mayBeWithin(text) {
      if (text.length < SHORTEST) return false
      sums = sumsOf(text.slice(0, SHORTEST), sums)
      return isSet(inner, spread(part(sums.a, POWERS.a, 0, SHORTEST)))
    },
  }
}

/** Characters of forms that are indexed in one turn: some milliseconds. */
const TURN = 65_536

function* partsOf(form: string): Generator<string> {
  for (let at = 0; at + LONGEST < form.length; at += LONGEST) yield form.slice(at, at + LONGEST)
  yield form.slice(-LONGEST)
}

/** Polynomials over all beginnings of a text, from which those of all parts follow at once. */
interface Sums {
  readonly a: Int32Array
  readonly b: Int32Array
}

/** @param room Is used again if it is large enough. */
function sumsOf(text: string, room: Sums | null): Sums {
  const { length } = text
  const sums =
    room !== null && room.a.length > length
      ? room
      : { a: new Int32Array(2 * length + LONGEST), b: new Int32Array(2 * length + LONGEST) }
  const { a, b } = sums
  for (let i = 0; i < length; i++) {
    const char = text.charCodeAt(i) + 1
    a[i + 1] = Math.imul(a[i]!, BASES.a) + char
    b[i + 1] = Math.imul(b[i]!, BASES.b) + char
  }
  return sums
}

/** Odd, and nobody outside can know them. */
const base = (): number => Math.floor(Math.random() * 2 ** 29) * 8 + 5
const BASES = { a: base(), b: base() }
const POWERS = { a: powersOf(BASES.a), b: powersOf(BASES.b) }

function powersOf(of: number): Int32Array {
  const powers = new Int32Array(LONGEST + 1)
  powers[0] = 1
  for (let i = 1; i <= LONGEST; i++) powers[i] = Math.imul(powers[i - 1]!, of)
  return powers
}

const part = (sums: Int32Array, powers: Int32Array, place: number, length: number): number =>
  (sums[place + length]! - Math.imul(sums[place]!, powers[length]!)) | 0

const keyOf = (a: number, b: number): number => (a >>> 0) * 2 ** 21 + (b >>> 11)

/** The low bits of a polynomial say little of its first characters. */
const spread = (sum: number): number => Math.imul(sum ^ (sum >>> 15), 0x2c1b_3c6d) >>> 7
