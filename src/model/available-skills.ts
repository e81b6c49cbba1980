/** A skill as an agent is told of it before it opens one. */
export interface AvailableSkill {
  readonly name: string
  readonly description: string
  /** Where its SKILL.md can be read; left out where agents open skills by name. */
  readonly location?: string
}

/** The catalogue for a system prompt, as the reference implementation of the open specification writes it; all text escaped. */
export function toPrompt(skills: readonly AvailableSkill[]): string {
  const lines = skills.flatMap(({ name, description, location }) => [
    '<skill>',
    ...element('name', name),
    ...element('description', description),
    ...(location === undefined ? [] : element('location', location)),
    '</skill>',
  ])
  return ['<available_skills>', ...lines, '</available_skills>'].join('\n')
}

const element = (name: string, text: string): string[] => [`<${name}>`, escaped(text), `</${name}>`]

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#x27;',
}

const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!)
