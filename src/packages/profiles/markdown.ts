/** A line of Markdown, as far as advice on it needs to know. */
export interface MarkdownLine {
  /** 1-based line of its file. */
  readonly number: number
  readonly text: string
  /** Of a fenced block of code, its fences included. */
  readonly isCode: boolean
  /** The text with spaces for code within the line: columns stay. */
  readonly prose: string
  /** Text of a heading; null: it is none. */
  readonly heading: string | null
  /** In <details>, or below a heading that tells of what held before. */
  readonly isPast: boolean
}

/** What is longer is data, not text; expressions are spared it. */
const MOST_CHARS = 2000
const MOST_LINES = 50_000
const PAST =
  /\b(?:old|older|legacy|deprecated|deprecations?|history|historical|changelog|change log|previous|archived?|migrat\w*|release notes)\b/i

/** @param firstLine 1-based line of the file in which the text begins. */
export function readMarkdown(text: string, firstLine: number): MarkdownLine[] {
  const lines: MarkdownLine[] = []
  let fence: string | null = null
  let details = 0
  let pastLevel: number | null = null
  for (const whole of text.split(/\r\n|\n|\r/, MOST_LINES)) {
    const line = whole.slice(0, MOST_CHARS)
    const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1]
    const isCode = fence !== null || mark !== undefined
    if (fence === null) fence = mark ?? null
    else if (mark !== undefined && mark.startsWith(fence) && line.trim() === mark) fence = null
    const head = isCode ? null : /^ {0,3}(#{1,6})[ \t]+(\S.*)$/.exec(line)
    if (head !== null) {
      const level = head[1]!.length
      if (pastLevel !== null && level <= pastLevel) pastLevel = null
      if (pastLevel === null && PAST.test(head[2]!)) pastLevel = level
    }
    if (!isCode && /<details\b/i.test(line)) details++
    const isPast = details > 0 || pastLevel !== null
    if (!isCode && /<\/details>/i.test(line)) details = Math.max(0, details - 1)
    const prose = isCode ? '' : line.replaceAll(/`[^`]*`/g, (code) => ' '.repeat(code.length))
    lines.push({ number: firstLine + lines.length, text: line, isCode, prose, heading: head?.[2] ?? null, isPast })
  }
  return lines
}

export interface Link {
  /** As written, without a title. */
  readonly target: string
  readonly line: number
  /** 1-based. */
  readonly column: number
}

const LINK = /\]\([ \t]{0,9}(?:<([^<>]{1,500})>|([^()\s<>]{1,500}))|^ {0,3}\[[^[\]]{1,200}\]:[ \t]{1,9}(\S{1,500})/g
const MOST_LINKS = 2000

/** Links and images within the lines, and definitions of links: the first of them. */
export function linksOf(lines: readonly MarkdownLine[]): Link[] {
  const links: Link[] = []
  for (const { prose, number: line } of lines) {
    if (links.length >= MOST_LINKS) break
    for (const match of prose.matchAll(LINK)) {
      const target = (match[1] ?? match[2] ?? match[3])!
      links.push({ target, line, column: match.index + match[0].lastIndexOf(target) + 1 })
    }
  }
  return links
}
