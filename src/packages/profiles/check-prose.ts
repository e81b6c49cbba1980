import type { Findings } from '../rules.ts'
import type { MarkdownLine } from './markdown.ts'
import type { SkillFiles } from './skill-files.ts'

/** What the text itself says: dates that pass, tools without their server, paths that only Windows understands. */
export function checkProse(lines: readonly MarkdownLine[], file: string, files: SkillFiles, findings: Findings): void {
  const paths = new Set(files.files.map(({ path }) => path))
  for (const line of lines) {
    checkPaths(line, file, paths, findings)
    if (line.isCode) continue
    const dated = line.isPast ? null : DATED.exec(line.prose)
    if (dated !== null)
      findings.add('authoring.dated', `"${dated[0].trim()}" will be over one day.`, file, line.number, dated.index + 1)
    for (const tool of line.text.matchAll(TOOL)) {
      const name = (tool[1] ?? tool[2])!
      if (name.includes(':') || name.startsWith('mcp__')) continue
      const column = tool.index + tool[0].indexOf(name) + 1
      findings.add(
        'authoring.mcp_tool',
        `The MCP tool "${name}" is named without its server.`,
        file,
        line.number,
        column,
      )
    }
  }
}

const MONTH =
  '(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)'
const DATE = `(?:[0-9]{1,2}(?:st|nd|rd|th)? )?${MONTH}\\.? (?:[0-9]{1,2}(?:st|nd|rd|th)?,? )?20[0-9]{2}`
/** A bare year after "before" or "since" is mostly an example; after "as of" it is not. */
const DATED = new RegExp(
  `\\b(?:(?:before|after|until|till|since|starting|starting in|beginning in|effective|as of|as from|by) (?:the end of |early |mid-|late )?(?:${DATE}|20[0-9]{2}-[0-9]{2}(?:-[0-9]{2})?)|as of (?:early |mid-|late |q[1-4] )?20[0-9]{2}\\b|(?:at|as of) the time of (?:this )?writing|as of (?:today|this writing))`,
  'i',
)

/** `name` MCP tool, or MCP tool `name`. */
const TOOL = /`([A-Za-z][\w:.-]{0,99})` MCP tool\b|\bMCP tool `([A-Za-z][\w:.-]{0,99})`/g

/** A path with backslashes is one if the file is there. */
function checkPaths(
  { text, number }: MarkdownLine,
  file: string,
  paths: ReadonlySet<string>,
  findings: Findings,
): void {
  if (!text.includes('\\')) return
  for (const { 0: written, index } of text.matchAll(/[\w.-]{1,200}(?:\\{1,2}[\w.-]{1,200}){1,20}/g)) {
    // A link is looked at as a link.
    if (text.startsWith('](', index - 2)) continue
    if (paths.has(written.replaceAll(/\\+/g, '/').replace(/^\.\//, '')))
      findings.add('authoring.forward_slash', `The path "${written}" has backslashes.`, file, number, index + 1)
  }
}
