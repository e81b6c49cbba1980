import { LIMITS } from '../../model/sizes.ts'
import type { Findings } from '../rules.ts'
import { type Split, splitFrontmatter } from './frontmatter.ts'
import { decodeText } from './text.ts'
import { parseYaml, type YamlMap } from './yaml.ts'

/** A SKILL.md that was read: what it says, and where. */
export interface SkillDocument {
  readonly file: string
  /** Without the byte order mark. */
  readonly text: string
  readonly byteOrderMark: boolean
  /** Null: it has none. */
  readonly split: Split | null
  /** Null: it cannot be read; the findings say why. */
  readonly map: YamlMap | null
  readonly body: string
  /** 1-based line in which the body begins. */
  readonly bodyLine: number
}

/** Of the characters that structure YAML, together: its parser takes the square of some of them in time. */
const MOST_INDICATORS = 4000

/** The one parser of SKILL.md. Null: it is no text; the findings say why. */
export function readSkillDocument(bytes: Uint8Array, file: string, findings: Findings): SkillDocument | null {
  if (bytes.length > LIMITS.skillMdBytes) {
    const message = `${file} has ${bytes.length} bytes; at most ${LIMITS.skillMdBytes} are allowed.`
    findings.add('manifest.too_large', message, file)
    return null
  }
  const decoded = decodeText(bytes, file, findings)
  if (decoded === null) return null
  const { text } = decoded
  const split = splitFrontmatter(text)
  if (split === null) {
    const [message, fix] = text.startsWith('---')
      ? ['The frontmatter is not closed by a line "---".', 'Write a line "---" below the last key.']
      : ['The file does not begin with a line "---".', null]
    findings.add('skill_md.frontmatter', message, file, 1, 1, fix)
    return { file, ...decoded, split, map: null, body: text, bodyLine: 1 }
  }
  const { frontmatter, bodyAt } = split
  const body = text.slice(bodyAt)
  const bodyLine = countLines(text.slice(0, bodyAt))
  const map = isBounded(frontmatter, file, findings) ? parseYaml(frontmatter, file, 2, findings) : null
  return { file, ...decoded, split, map, body, bodyLine }
}

/** Lines that have begun: one in an empty text. */
export const countLines = (text: string): number => (text.match(/\r\n|\n|\r/g)?.length ?? 0) + 1

function isBounded(frontmatter: string, file: string, findings: Findings): boolean {
  const add = (message: string): void => findings.add('manifest.too_large', message, file, 1, 1)
  const bytes = Buffer.byteLength(frontmatter)
  const indicators = frontmatter.match(/[[\]{},&*!?]/g)?.length ?? 0
  if (bytes > LIMITS.frontmatterBytes) add(`The frontmatter has more than ${LIMITS.frontmatterBytes} bytes.`)
  else if (indicators > MOST_INDICATORS)
    add(`The frontmatter has more than ${MOST_INDICATORS} of the characters [ ] { } , & * ! ?.`)
  else return true
  return false
}
