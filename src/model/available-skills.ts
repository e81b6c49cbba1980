/** A skill as an agent is told of it before it opens one. */
export interface AvailableSkill {
  readonly name: string
  readonly description: string
  /** Where its SKILL.md can be read; left out where agents open skills by name. */
  readonly location?: string
}

/** The catalogue for a system prompt, as the reference implementation of the open specification writes it; all text escaped. */
export function toPrompt(skills: readonly AvailableSkill[]): string {
  return [PROMPT_BEGIN, ...promptLines(skills), PROMPT_END].join('\n')
}

/** Around the lines of all skills. */
export const PROMPT_BEGIN = '<available_skills>'
export const PROMPT_END = '</available_skills>'

/** The lines of some skills, for who writes a long catalogue piece by piece. */
export const promptLines = (skills: readonly AvailableSkill[]): string[] =>
  skills.flatMap(({ name, description, location }) => [
    '<skill>',
    ...element('name', name),
    ...element('description', description),
    ...(location === undefined ? [] : element('location', location)),
    '</skill>',
  ])

const element = (name: string, text: string): string[] => [`<${name}>`, escaped(text), `</${name}>`]

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#x27;',
}

/** What no XML may hold: such a document cannot be read at all. */
const NO_XML = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu

const escaped = (text: string): string =>
  text.replaceAll(NO_XML, '\ufffd').replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!)
