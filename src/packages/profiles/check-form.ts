import type { SkillDocument } from '../manifest/skill-document.ts'
import { countLines } from '../manifest/skill-document.ts'
import type { Findings } from '../rules.ts'

/** The file as a file, whatever its fields say. */
export function checkForm({ file, byteOrderMark, split, map }: SkillDocument, findings: Findings): void {
  if (file !== 'SKILL.md')
    findings.add('skill_md.file_name', `Many agents look for "SKILL.md" only; this file is named "${file}".`, file)
  if (byteOrderMark) findings.add('skill_md.byte_order_mark', 'The file begins with a byte order mark.', file, 1, 1)
  const dashes = split?.frontmatter.indexOf('---') ?? -1
  if (split !== null && dashes !== -1) {
    const before = split.frontmatter.slice(0, dashes)
    const column = dashes - Math.max(before.lastIndexOf('\n'), before.lastIndexOf('\r'))
    findings.add('skill_md.dashes', 'There is a "---" within the frontmatter.', file, countLines(before) + 1, column)
  }
  for (const { kind, at } of map?.peculiarities ?? []) {
    const rule = kind === 'flow' ? 'skill_md.flow_style' : 'skill_md.simple_yaml'
    findings.add(rule, PECULIAR[kind], file, at.line, at.column)
  }
}

const PECULIAR = {
  anchor: 'The value has an anchor (&).',
  alias: 'The value is an alias (*).',
  flow: 'The value is written with brackets.',
  'indentation indicator': 'The figure after | or > says how far the text is indented.',
}
