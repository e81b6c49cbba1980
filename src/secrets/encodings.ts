/** Shorter texts are not searched for: they are in every log, and hiding them would hide nothing. */
export const SHORTEST = 4

/**
 * The forms in which a secret commonly turns up in text: as it is, line by line, in JSON, percent-encoded, in hex, and in base64 wherever
 * it begins and however the lines are broken.
 */
export function formsOf(value: string): Set<string> {
  const forms = new Set<string>()
  const add = (form: string): void => {
    if (form.length >= SHORTEST) forms.add(form)
  }
  for (const part of [value, ...value.split(/[\r\n]+/)]) {
    add(part)
    add(part.trim())
    add(JSON.stringify(part).slice(1, -1))
    // What Python and others do to all that is not ASCII.
    add(asciiJson(part))
  }
  const bytes = Buffer.from(value)
  add(encodeURIComponent(value.toWellFormed()))
  add(strict(value))
  add(strict(value).replaceAll('%20', '+'))
  // Paths keep their slashes, whole URLs keep more.
  add(strict(value).replaceAll('%2F', '/'))
  add(encodeURI(value.toWellFormed()))
  // As forms are sent: one "=" before the value.
  add(new URLSearchParams({ '': value }).toString().slice(1))
  const upper = [...forms].filter((form) => /%[0-9A-F]{2}/.test(form))
  for (const form of upper) add(form.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()))
  const hex = bytes.toString('hex')
  add(hex)
  add(hex.toUpperCase())
  add(hex.replaceAll(/../g, '%$&'))
  add(hex.toUpperCase().replaceAll(/../g, '%$&'))
  add(hex.replaceAll(/../g, '\\x$&'))
  for (const form of base64Forms(bytes)) add(form)
  return forms
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
