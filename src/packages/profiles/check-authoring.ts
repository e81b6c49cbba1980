import { estimateTokens } from '../../model/tokens.ts'
import type { SkillDocument } from '../manifest/skill-document.ts'
import type { Findings } from '../rules.ts'
import { checkBody } from './check-body.ts'
import { checkProse } from './check-prose.ts'
import { checkReferences } from './check-references.ts'
import { checkStyle } from './check-style.ts'
import { readMarkdown } from './markdown.ts'
import type { SkillFiles } from './skill-files.ts'

const MOST_TOKENS = 5000

/** The advice of the authoring guide (third person, what and when, budgets, references, paths, tools, dates): never more than warnings. */
export function checkAuthoring(document: SkillDocument, files: SkillFiles, findings: Findings): void {
  const { body, bodyLine, file } = document
  checkBody(document, findings)
  const tokens = estimateTokens(body)
  if (tokens > MOST_TOKENS)
    findings.add('authoring.body_tokens', `The body has about ${tokens} tokens.`, file, bodyLine, 1)
  if (document.map !== null) checkStyle(document.map, findings)
  const lines = readMarkdown(body, bodyLine)
  checkProse(lines, file, files, findings)
  checkReferences({ file, body, lines }, files, findings)
}
