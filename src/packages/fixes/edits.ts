import { countLines } from '../manifest/skill-document.ts'

/** A part of a text that is to be another; all else stays as it is. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
  /** For people: what becomes what. */
  readonly what: string
}

/** What was changed, by the 1-based line in which it stood. */
export interface Change {
  readonly line: number
  readonly what: string
}

/** Of edits that overlap the first is made. */
export function applyEdits(
  text: string,
  edits: readonly Edit[],
): { readonly text: string; readonly changes: Change[] } {
  const parts: string[] = []
  const changes: Change[] = []
  let at = 0
  let line = 1
  for (const edit of edits.toSorted((a, b) => a.start - b.start)) {
    if (edit.start < at) continue
    const kept = text.slice(at, edit.start)
    line += countLines(kept) - 1
    changes.push({ line, what: edit.what })
    parts.push(kept, edit.text)
    line += countLines(text.slice(edit.start, edit.end)) - 1
    at = edit.end
  }
  return { text: [...parts, text.slice(at)].join(''), changes }
}
