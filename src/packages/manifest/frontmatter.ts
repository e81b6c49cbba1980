/** A SKILL.md in its two parts. */
export interface Split {
  readonly frontmatter: string
  /** Everything after the line that closes the frontmatter, unchanged. */
  readonly body: string
  /** Where each begins in the text. */
  readonly frontmatterAt: number
  readonly bodyAt: number
}

/**
 * Splits at the first two lines that are exactly `---` (spaces may follow): a `---` within a value or in the body is none of them.
 * Knows LF, CRLF and CR, and a closing line without a line break at the end of the file. Null: there is no complete frontmatter.
 */
export function splitFrontmatter(text: string): Split | null {
  const open = /^---[ \t]*(?:\r\n|\n|\r)/.exec(text)
  if (open === null) return null
  const frontmatterAt = open[0].length
  const close = closingFence(text, frontmatterAt)
  if (close === null) return null
  const [at, bodyAt] = close
  return { frontmatter: text.slice(frontmatterAt, at), body: text.slice(bodyAt), frontmatterAt, bodyAt }
}

/** Line by line, each looked at once. */
function closingFence(text: string, from: number): [at: number, end: number] | null {
  const eachLine = /[^\r\n]*(?:\r\n|\n|\r|$(?![\s\S]))/y
  for (let at = from; at < text.length; at = eachLine.lastIndex) {
    eachLine.lastIndex = at
    const line = eachLine.exec(text)![0]
    if (/^---[ \t]*[\r\n]{0,2}$/.test(line)) return [at, at + line.length]
  }
  return null
}
