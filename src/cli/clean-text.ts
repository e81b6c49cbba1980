/** Control characters but tab and line feed, those that reverse or isolate the direction of text, and invisible ones. */
const UNSEEN = /(?![\t\n])[\p{Cc}\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/gu

/** What strangers wrote, for a terminal: control characters become visible, so that they control nothing. Tabs and line breaks stay. */
export const cleanText = (text: string): string =>
  text.replaceAll(UNSEEN, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)

/** The same within JSON, which it stays: it means the same. */
export const cleanJson = (value: unknown): string =>
  JSON.stringify(value, null, 2).replaceAll(UNSEEN, (character) =>
    Array.from(
      { length: character.length },
      (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
    ).join(''),
  )
