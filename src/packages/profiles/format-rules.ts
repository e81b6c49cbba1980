import { type ProfileRule, rule } from './profile.ts'

const NAME_FIX = 'Use 1 to 64 lower-case letters, digits and single hyphens.'
const DESCRIPTION_FIX = 'Describe in 1 to 1024 characters what the skill does and when to use it.'

/** The form of a SKILL.md and its folder. The columns: upload, spec, claude-api, claude-code, mcp, portable. */
export const FORMAT_RULES = {
  'skill_md.missing': rule(
    ['deny', 'deny', 'deny', 'deny', 'deny', 'deny'],
    'A skill is a folder with a SKILL.md at its root.',
    'Add a file "SKILL.md" at the root of the skill.',
  ),
  'skill_md.file_name': rule(
    ['warn', 'warn', 'deny', 'deny', 'deny', 'deny'],
    'Most readers look for "SKILL.md" in capitals only.',
    'Name the file "SKILL.md".',
  ),
  'skill_md.byte_order_mark': rule(
    ['off', 'warn', 'deny', 'off', 'off', 'deny'],
    'Readers that look for "---" at the very beginning find the mark instead.',
    'Save the file as UTF-8 without a byte order mark.',
  ),
  'skill_md.frontmatter': rule(
    ['deny', 'deny', 'deny', 'warn', 'deny', 'deny'],
    'A SKILL.md begins with its frontmatter.',
    'Begin the file with a line "---", then name and description, then a line "---".',
  ),
  'skill_md.simple_yaml': rule(
    ['off', 'warn', 'off', 'off', 'deny', 'deny'],
    'Anchors, aliases and indentation indicators are beyond the reader of the MCP SDK.',
    'Write the value out; use | or > without a figure.',
  ),
  'skill_md.flow_style': rule(
    ['off', 'warn', 'off', 'off', 'off', 'deny'],
    'The reference validator reads a YAML without [ ] and { }.',
    'Write each entry in a line of its own, indented.',
  ),
  'skill_md.dashes': rule(
    ['off', 'warn', 'off', 'off', 'off', 'deny'],
    'The reference validator ends the frontmatter at the first "---", wherever it stands.',
    'Write another dash, such as "–", within values.',
  ),
  'skill_md.no_name': rule(
    ['deny', 'deny', 'deny', 'off', 'deny', 'deny'],
    'The open specification demands a name; only Claude Code takes that of the folder.',
    NAME_FIX,
  ),
  'skill_md.name': rule(
    ['deny', 'deny', 'deny', 'warn', 'deny', 'deny'],
    'The name serves in URLs, tool lists and folders alike.',
    NAME_FIX,
  ),
  'skill_md.name_not_ascii': rule(
    ['deny', 'off', 'deny', 'warn', 'deny', 'deny'],
    'The reference validator takes letters of every script; nearly all others take a to z.',
    NAME_FIX,
  ),
  'skill_md.name_reserved': rule(
    ['warn', 'off', 'deny', 'off', 'off', 'deny'],
    'The Claude API keeps the words "anthropic" and "claude" to itself.',
    'Leave the word out of the name.',
  ),
  'skill_md.name_folder': rule(
    ['off', 'deny', 'deny', 'warn', 'deny', 'deny'],
    'A skill is found by its folder and told of by its name: they are one.',
    'Give folder and skill the same name.',
  ),
  'skill_md.no_description': rule(
    ['deny', 'deny', 'deny', 'warn', 'deny', 'deny'],
    'Agents choose a skill by its description.',
    DESCRIPTION_FIX,
  ),
  'skill_md.description': rule(
    ['deny', 'deny', 'deny', 'warn', 'deny', 'deny'],
    'Agents choose a skill by its description, and all of them hold all of them in mind.',
    DESCRIPTION_FIX,
  ),
  'skill_md.description_markup': rule(
    ['warn', 'off', 'deny', 'off', 'off', 'deny'],
    'The description goes into a prompt; claude.ai and the Claude API refuse "<" and ">" in it.',
    'Say it in words.',
  ),
  'skill_md.unknown_key': rule(
    ['warn', 'deny', 'deny', 'warn', 'off', 'deny'],
    'Only the six fields of the open specification are kept everywhere.',
    'Move it below metadata, or accept that some agents ignore or refuse it.',
  ),
  'skill_md.field': rule(
    ['deny', 'deny', 'deny', 'warn', 'deny', 'deny'],
    'The open specification gives this field a type and a length.',
    'Correct the value as the message says.',
  ),
  'skill_md.tools_list': rule(
    ['warn', 'deny', 'off', 'off', 'off', 'deny'],
    'The open specification has one text with spaces between the tools; only some readers take a list.',
    'Write the tools in one line, with spaces between them.',
  ),
  'skill_md.tools_commas': rule(
    ['off', 'warn', 'off', 'off', 'off', 'warn'],
    'The open specification separates tools by spaces: the comma becomes part of the name.',
    'Write spaces instead of commas.',
  ),
  'skill_md.metadata_text': rule(
    ['warn', 'warn', 'off', 'off', 'deny', 'deny'],
    'The open specification has texts only below metadata.',
    'Put the value in quotes.',
  ),
  'skill_md.too_large': rule(
    ['off', 'off', 'deny', 'off', 'deny', 'deny'],
    'The Claude API takes 30 MB uncompressed, the skills extension of MCP 16 MiB.',
    'Leave out what the skill does not need.',
  ),
  'skill_md.too_many_files': rule(
    ['off', 'off', 'off', 'off', 'deny', 'deny'],
    'The skills extension of MCP takes 512 files.',
    'Leave out what the skill does not need, or put it into an archive.',
  ),
} satisfies Record<string, ProfileRule>
