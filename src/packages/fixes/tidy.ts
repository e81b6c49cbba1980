import type { Edit } from './edits.ts'
import type { Reading } from './fixed-file.ts'

/** Spaces at the ends of the frontmatter's lines, and of the lines around it. */
export function trimLines({ document: { text, split } }: Reading): Edit[] {
  if (split === null) return []
  return linesOf(text.slice(0, split.bodyAt), 0).flatMap(({ start, line }) => {
    let trimmed = line.length
    while (/[ \t]/.test(line.charAt(trimmed - 1))) trimmed--
    return trimmed === line.length
      ? []
      : [{ start: start + trimmed, end: start + line.length, text: '', what: 'spaces at the end of the line are gone' }]
  })
}

const TEXT_KEYS = new Set(['name', 'description', 'license', 'compatibility', 'allowed-tools'])

/** The commonest slip: a value with a colon that is not in quotes. */
export function quoteColons({ document: { split, map } }: Reading): Edit[] {
  if (split === null || map !== null) return []
  const lines = linesOf(split.frontmatter, split.frontmatterAt)
  return lines.flatMap(({ start, line }, index) => {
    const colon = line.indexOf(':')
    const value = line.slice(colon + 1).trim()
    if (!TEXT_KEYS.has(line.slice(0, colon)) || !/:(?:\s|$)/.test(value) || /^["'|>[{&*!#%@`]/.test(value)) return []
    // Continued in the next line: where it ends is not plain.
    if (/^[ \t]/.test(lines[index + 1]?.line ?? '')) return []
    const at = start + line.indexOf(value, colon + 1)
    const key = line.slice(0, colon)
    return [{ start: at, end: at + value.length, text: JSON.stringify(value), what: `${key} is in quotes` }]
  })
}

/** The last line ends like the others. */
export function closeFile({ document: { text } }: Reading): Edit[] {
  if (text === '' || /[\r\n]$/.test(text)) return []
  const [end] = /\r\n|\n|\r/.exec(text) ?? ['\n']
  return [{ start: text.length, end: text.length, text: end, what: 'the last line ends with a line break' }]
}

/** Lines without their breaks. */
function linesOf(text: string, from: number): { start: number; line: string }[] {
  let start = from
  return text.split(/(\r\n|\n|\r)/).flatMap((part, index) => {
    const at = start
    start += part.length
    return index % 2 === 0 ? [{ start: at, line: part }] : []
  })
}
