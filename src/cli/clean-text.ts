/** Control characters but tab and line feed, those that reverse or isolate the direction of text, and invisible ones. */
const UNSEEN = /(?![\t\n])[\p{Cc}\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/gu

/** What strangers wrote, for a terminal: control characters become visible, so that they control nothing. Tabs and line breaks stay. */
export const cleanText = (text: string): string =>
  text.replaceAll(UNSEEN, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)

/** The same where our own colours are among it. */
export const cleanShown = (text: string): string =>
  text
    .split(COLOUR)
    .map((part, at) => (at % 2 === 0 ? cleanText(part) : part))
    .join('')

/** As Node's styleText writes them, and nothing else that a terminal obeys. */
// oxlint-disable-next-line no-control-regex -- it is what is looked for
const COLOUR = /(\u001b\[(?:[12]|22|3[0-9])m)/

/** The same within JSON, which it stays: it means the same. */
export const cleanJson = (value: unknown): string =>
  JSON.stringify(value, null, 2).replaceAll(UNSEEN, (character) =>
    Array.from(
      { length: character.length },
      (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
    ).join(''),
  )
