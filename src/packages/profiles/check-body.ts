import { countLines, type SkillDocument } from '../manifest/skill-document.ts'
import type { Findings } from '../rules.ts'

const MOST_LINES = 500

/** What is remarked on even at an upload. */
export function checkBody({ body, bodyLine, file }: SkillDocument, findings: Findings): void {
  const lines = countLines(body.trimEnd())
  if (body.trim() === '')
    findings.add('skill_md.empty_body', 'There is nothing below the frontmatter.', file, bodyLine, 1)
  if (lines > MOST_LINES) findings.add('skill_md.long_body', `The body has ${lines} lines.`, file, bodyLine, 1)
}
