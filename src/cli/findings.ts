import type { Finding } from '../model/packages.ts'
import { cleanText } from './clean-text.ts'
import type { Paint } from './io.ts'

/** A line of a file of the package, as it stands there; null when it is not at hand. */
export type SourceLine = (file: string, line: number) => string | null

/**
 * Findings as compilers print them: place, rule, message, remedy. Those that forbid the package come first.
 * @param source Where it is given, the line is shown with a mark below the place.
 */
export function findingsText(findings: readonly Finding[], paint: Paint, source: SourceLine = () => null): string {
  const sorted = findings.toSorted((a, b) => a.severity.localeCompare(b.severity))
  return sorted
    .map((finding) => {
      const { severity, rule, message, fix } = finding
      const kind = severity === 'deny' ? paint('red', 'denied ') : paint('yellow', 'warning')
      const place = paint('bold', placeOf(finding))
      const head = `${kind}  ${place}  ${cleanText(message)}  ${paint('dim', rule)}\n`
      return `${head}${excerptOf(finding, paint, source)}         ${cleanText(fix)}\n`
    })
    .join('')
}

function placeOf({ file, line, column }: Finding): string {
  if (file === null) return 'package'
  const numbers = [line, line === null ? null : column].filter((one) => one !== null)
  return [cleanText(file), ...numbers].join(':')
}

const WIDTH = 100

/** A window of a long line around the column. */
function excerptOf({ file, line, column }: Finding, paint: Paint, source: SourceLine): string {
  const text = file === null || line === null || column === null ? null : source(file, line)
  if (text === null || column === null) return ''
  const start = Math.max(0, column - 1 - WIDTH / 2)
  const before = shown(text.slice(start, column - 1))
  const after = shown(text.slice(column - 1, start + WIDTH))
  const number = String(line).padStart(8)
  const pad = `${before}`.replaceAll(/./gsu, (character) => (WIDE.test(character) ? '  ' : ' '))
  const bar = paint('dim', '|')
  return `${number} ${bar} ${before}${after}\n${' '.repeat(8)} ${bar} ${pad}${paint('cyan', '^')}\n`
}

/** On one line, and half of a pair that the window cut is left out. */
const shown = (text: string): string =>
  cleanText(text.toWellFormed().replaceAll('\uFFFD', '')).replaceAll(/[\t\n\r]/g, ' ')

/** Two columns on a terminal. */
const WIDE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}]/u
