import type { MarkdownLine } from './markdown.ts'

/** Where a table of contents is looked for. */
const NEAR_TOP = 60
const FEWEST_ENTRIES = 3

/** A heading that says so, or a list of what the headings below are, with links or without. */
export function hasContents(lines: readonly MarkdownLine[]): boolean {
  const top = lines.slice(0, NEAR_TOP).filter(({ isCode }) => !isCode)
  if (
    top.some(({ text }) =>
      /^\s{0,3}(?:#{1,6}\s{1,9}|\*\*)?(?:table of )?contents\b|^#{1,6}\s{1,9}(?:toc|index|overview of sections)\b/i.test(
        text,
      ),
    )
  )
    return true
  const headings = new Set(lines.flatMap(({ heading }) => (heading === null ? [] : [plain(heading)])))
  const entries = top.filter(({ text }) => {
    const item = /^\s{0,20}(?:[-*+]|[0-9]{1,3}[.)])\s{1,9}(\S.*)$/.exec(text)?.[1]
    return item !== undefined && (/\]\(#/.test(item) || headings.has(plain(item)))
  })
  return entries.length >= FEWEST_ENTRIES
}

const plain = (text: string): string => text.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '')
