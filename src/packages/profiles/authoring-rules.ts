import { type ProfileRule, rule } from './profile.ts'

/** Remarked on whoever asks, but not at an upload. */
const advice = (why: string, fix: string): ProfileRule =>
  rule(['off', 'warn', 'warn', 'warn', 'warn', 'warn'], why, fix)
/** Remarked on at an upload, too. */
const remark = (why: string, fix: string): ProfileRule =>
  rule(['warn', 'warn', 'warn', 'warn', 'warn', 'warn'], why, fix)

/** How good skills are written. */
export const AUTHORING_RULES = {
  'skill_md.empty_body': remark(
    'An agent that opens the skill finds no instructions.',
    'Write below the frontmatter how to use the skill.',
  ),
  'skill_md.long_body': remark(
    'The body is loaded whole into the context of the agent.',
    'Keep it under 500 lines; move details to files below references/.',
  ),
  'authoring.body_tokens': advice(
    'The body is loaded whole into the context of the agent.',
    'Keep it under 5000 tokens; move details to files below references/.',
  ),
  'authoring.third_person': advice(
    'The description becomes part of a system prompt, where "I" and "you" are somebody else.',
    'Write what the skill does: "Extracts text from PDFs", not "I can" or "You can".',
  ),
  'authoring.says_what': advice(
    'An agent cannot tell from it what the skill can do.',
    'Name the things it works on and what it does with them.',
  ),
  'authoring.says_when': advice(
    'An agent chooses the skill by the description alone.',
    'Add when to use it: "Use when …", with the words that users say.',
  ),
  'authoring.reference_missing': advice(
    'An agent that follows the link finds nothing.',
    'Add the file, or correct the link: it is relative to the file that it stands in.',
  ),
  'authoring.reference_depth': advice(
    'Agents read files that they find two steps away only in part, or not at all.',
    'Link it from SKILL.md, too.',
  ),
  'authoring.forward_slash': advice('Only Windows knows backslashes in paths.', 'Write "/": it works everywhere.'),
  'authoring.contents': advice(
    'An agent that looks at the beginning of a long file does not see what else is in it.',
    'Begin it with a table of contents.',
  ),
  'authoring.mcp_tool': advice('With several MCP servers a bare name may not be found.', 'Write Server:tool.'),
  'authoring.dated': advice(
    'It will be wrong one day, and nobody will notice.',
    'Say what holds now; put what held before into a section "Old patterns" or into <details>.',
  ),
} satisfies Record<string, ProfileRule>
