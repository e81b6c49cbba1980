/** A SKILL.md in its two parts. */
export interface Split {
  readonly frontmatter: string
  /** Everything after the line that closes the frontmatter, unchanged. */
  readonly body: string
}

/**
 * Splits at the first two lines that are exactly `---` (spaces may follow): a `---` within a value or in the body is none of them.
 * Knows LF, CRLF and CR, and a closing line without a line break at the end of the file. Null: there is no complete frontmatter.
 */
export function splitFrontmatter(text: string): Split | null {
  const open = /^---[ \t]*(?:\r\n|\n|\r)/.exec(text)
  if (open === null) return null
  const fence = /^---[ \t]*(?:\r\n|\n|\r|$(?![\s\S]))/gm
  fence.lastIndex = open[0].length
  const close = fence.exec(text)
  if (close === null) return null
  return { frontmatter: text.slice(open[0].length, close.index), body: text.slice(close.index + close[0].length) }
}
