import { isUtf8 } from 'node:buffer'
import { setImmediate as breathe } from 'node:timers/promises'

/** Deeper than any value worth having, shallower than what makes the recursive serialisers of other programs fail. */
export const MAX_DEPTH = 500
/** Bytes looked at before others get their turn: about a millisecond. */
const SLICE = 128 * 1024

/**
 * Tells what is wrong with bytes that should be one JSON value, or null. Never blocks for long and builds nothing: they come from
 * a tenant's code.
 */
export async function jsonProblem(bytes: Buffer): Promise<string | null> {
  if (!isUtf8(bytes)) return 'it is not UTF-8'
  const scan = new JsonScan(bytes)
  for (let to = SLICE; !scan.step(Math.min(to, bytes.length)); to += SLICE) await breathe()
  return scan.problem
}

type Expect = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or ]' | ', or }' | 'nothing'

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const MAX_NUMBER = 400
const NUMBER_BYTES = new Uint8Array(256)
for (const byte of Buffer.from('0123456789+-.eE')) NUMBER_BYTES[byte] = 1
const WORDS = new Map([
  [0x74, Buffer.from('true')],
  [0x66, Buffer.from('false')],
  [0x6e, Buffer.from('null')],
])
const QUOTE = 0x22
const BACKSLASH = 0x5c
const ESCAPED = new Set(Buffer.from('"\\/bfnrt'))

class JsonScan {
  problem: string | null = null
  readonly #bytes: Buffer
  #at = 0
  #expect: Expect = 'value'
  #inString = false
  /** One entry for each open array (1) or object (2). */
  readonly #open: number[] = []

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** Goes on to `to` or a little further. True when finished, one way or the other. */
  step(to: number): boolean {
    while (this.#at < to && this.problem === null) {
      if (this.#inString) this.#string(to)
      else this.#token()
    }
    if (this.problem !== null) return true
    if (this.#at < this.#bytes.length) return false
    if (this.#inString || this.#expect !== 'nothing') this.#fail('it ends too early')
    return true
  }

  #token(): void {
    const byte = this.#bytes[this.#at]!
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      this.#at++
      return
    }
    switch (this.#expect) {
      case 'value':
        return this.#value(byte)
      case 'value or ]':
        return byte === 0x5d ? this.#close() : this.#value(byte)
      case 'key or }':
        return byte === 0x7d ? this.#close() : this.#key(byte)
      case 'key':
        return this.#key(byte)
      case ':':
        return this.#sign(byte === 0x3a, 'value')
      case ', or ]':
        return byte === 0x5d ? this.#close() : this.#sign(byte === 0x2c, 'value')
      case ', or }':
        return byte === 0x7d ? this.#close() : this.#sign(byte === 0x2c, 'key')
      case 'nothing':
        return this.#fail('it is more than one value')
    }
  }

  #value(byte: number): void {
    if (byte === 0x5b || byte === 0x7b) {
      this.#at++
      if (this.#open.push(byte === 0x5b ? 1 : 2) > MAX_DEPTH) return this.#fail(`it is nested deeper than ${MAX_DEPTH}`)
      this.#expect = byte === 0x5b ? 'value or ]' : 'key or }'
      return
    }
    if (byte === QUOTE) {
      this.#at++
      this.#inString = true
      this.#after()
      return
    }
    const word = WORDS.get(byte)
    const length = word === undefined ? this.#numberLength() : this.#wordLength(word)
    if (length === 0) return this.#fail('it is not JSON')
    this.#at += length
    this.#after()
  }

  #key(byte: number): void {
    if (byte !== QUOTE) return this.#fail('it is not JSON')
    this.#at++
    this.#inString = true
    this.#expect = ':'
  }

  #string(to: number): void {
    const bytes = this.#bytes
    while (this.#at < to) {
      const byte = bytes[this.#at]!
      this.#at++
      if (byte === QUOTE) {
        this.#inString = false
        return
      }
      if (byte < 0x20) return this.#fail('it has a control character in a string')
      if (byte === BACKSLASH && !this.#escape()) return this.#fail('it has an escape that JSON does not know')
    }
  }

  #escape(): boolean {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) return false
    this.#at++
    if (ESCAPED.has(byte)) return true
    const digits = this.#bytes.toString('latin1', this.#at, this.#at + 4)
    this.#at += 4
    return byte === 0x75 && /^[0-9a-fA-F]{4}$/.test(digits)
  }

  #close(): void {
    this.#at++
    this.#open.pop()
    this.#after()
  }

  #sign(isRight: boolean, next: Expect): void {
    if (!isRight) return this.#fail('it is not JSON')
    this.#at++
    this.#expect = next
  }

  #after(): void {
    const inside = this.#open.at(-1)
    this.#expect = inside === undefined ? 'nothing' : inside === 1 ? ', or ]' : ', or }'
  }

  #wordLength(word: Buffer): number {
    return this.#bytes.subarray(this.#at, this.#at + word.length).equals(word) ? word.length : 0
  }

  /** Numbers of more than a few hundred characters mean nothing to anybody. */
  #numberLength(): number {
    const bytes = this.#bytes
    const most = Math.min(bytes.length, this.#at + MAX_NUMBER)
    let end = this.#at
    while (end < most && NUMBER_BYTES[bytes[end]!] === 1) end++
    const length = end - this.#at
    const first = bytes[this.#at]!
    if (length === 1 && first >= 0x30 && first <= 0x39) return 1
    return length < MAX_NUMBER && NUMBER.test(bytes.toString('latin1', this.#at, end)) ? length : 0
  }

  #fail(problem: string): void {
    this.problem ??= `${problem} (at byte ${this.#at})`
  }
}
