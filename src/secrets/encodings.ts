/** Shorter texts are not searched for: they are in every log, and hiding them would hide nothing. */
export const SHORTEST = 4

/**
 * The forms in which a secret commonly turns up in text: as it is, line by line, in JSON and JSON pointers, percent-encoded, in hex, and in base64 wherever
 * it begins and however the lines are broken.
 */
export function* formsOf(value: string): Generator<string> {
  if (value.length < SHORTEST) return
  for (const form of allForms(value)) if (form.length >= SHORTEST) yield form
}

function* allForms(value: string): Generator<string> {
  const lines = value.split(/[\r\n]+/)
  for (const part of lines.length > 1 ? [value, ...lines] : lines) {
    yield part
    yield part.trim()
    const json = JSON.stringify(part).slice(1, -1)
    yield json
    // As languages quote text whose quotes are of the other kind.
    yield json.replaceAll('\\"', '"')
    yield json.replaceAll('\\"', '"').replaceAll("'", "\\'")
    // In a JSON pointer, as in complaints about a result.
    yield part.replaceAll('~', '~0').replaceAll('/', '~1')
    // What Python and others do to all that is not ASCII.
    yield asciiJson(part)
  }
  for (const form of percentForms(value)) {
    yield form
    yield form.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())
  }
  const bytes = Buffer.from(value)
  const hex = bytes.toString('hex')
  for (const digits of [hex, hex.toUpperCase()]) {
    yield digits
    yield digits.replaceAll(/../g, '%$&')
  }
  yield hex.replaceAll(/../g, '\\x$&')
  yield* base64Forms(bytes)
}

function* percentForms(value: string): Generator<string> {
  yield encodeURIComponent(value.toWellFormed())
  yield strict(value)
  yield strict(value).replaceAll('%20', '+')
  // Paths keep their slashes, whole URLs keep more.
  yield strict(value).replaceAll('%2F', '/')
  yield encodeURI(value.toWellFormed())
  // As forms are sent: one "=" before the value.
  yield new URLSearchParams({ '': value }).toString().slice(1)
}

/** Percent-encodes everything that RFC 3986 does not call unreserved. */
function strict(value: string): string {
  return encodeURIComponent(value.toWellFormed()).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function asciiJson(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replaceAll(/[\u0080-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Widths at which programs break lines of base64. */
const WIDTHS = [76, 64]

/** As part of something longer, the value begins at one of three places in a group, and its neighbours share its first and last characters. */
function* base64Forms(bytes: Buffer): Generator<string> {
  for (const shift of [0, 1, 2]) {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64')
    const first = [0, 2, 3][shift]!
    const whole = Math.floor(((shift + bytes.length) * 8) / 6)
    // Followed by something, and at the end.
    for (const own of [encoded.slice(first, whole), encoded.slice(first).replace(/=+$/, '')]) {
      yield own
      yield own.replaceAll('+', '-').replaceAll('/', '_')
    }
  }
  const encoded = bytes.toString('base64')
  for (const width of WIDTHS) {
    for (let at = 0; encoded.length > width && at < encoded.length; at += width) {
      const line = encoded.slice(at, at + width).replace(/=+$/, '')
      // The last line may be short, and a neighbour of the value may change its last characters.
      if (line.length === width || line.length >= 16) yield line.length === width ? line : line.slice(0, -2)
    }
  }
}
