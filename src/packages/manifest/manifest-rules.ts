import type { Rule } from '../rule.ts'

const deny = (why: string, fix: string): Rule => ({ severity: 'deny', why, fix })
const warn = (why: string, fix: string): Rule => ({ severity: 'warn', why, fix })

/** What manifests may be refused or remarked on for; a SKILL.md: ../profiles/. */
export const MANIFEST_RULES = {
  'manifest.missing': deny(
    'Nothing in the package says what kind of skill it is.',
    'Add main.py with handler(input), or spm.yaml with an execute() module, or a SKILL.md, at the root of the package.',
  ),
  'manifest.ambiguous': deny(
    'Two manifests describe the package.',
    'Keep the one that fits: skill.yaml for Python, spm.yaml for TypeScript.',
  ),
  'manifest.too_large': deny(
    'A manifest of this size cannot be read safely.',
    'Shorten it; long text belongs in files of its own.',
  ),
  'manifest.encoding': deny('The file is not UTF-8 text.', 'Save it as UTF-8.'),
  'manifest.yaml': deny(
    'The file is not valid YAML 1.2.',
    'Mend the line; quote values that hold ": " or begin with a special character.',
  ),
  'manifest.yaml_tag': deny('Tags make programs build other things than plain data.', 'Remove the tag.'),
  'manifest.yaml_aliases': deny(
    'Aliases within aliases make a small file unfold to a huge one.',
    'Write the value out instead of referring to it.',
  ),
  'manifest.json': deny('The file is not valid JSON.', 'Mend the file.'),
  'manifest.not_a_map': deny('A manifest is a table of keys and values.', 'Write one "key: value" in each line.'),
  'manifest.unknown_key': warn('The key is not known and says nothing.', 'Remove it, or correct its spelling.'),
  'manifest.missing_key': warn('The format asks for this key.', 'Add the key.'),
  'manifest.name': deny(
    'The name serves in URLs, tool lists and folders alike.',
    'Use 1 to 64 lower-case letters, digits and single hyphens.',
  ),
  'manifest.name_differs': warn('The skill keeps the name it has on this server.', 'Use one name in all places.'),
  'manifest.description': deny(
    'Agents choose a skill by its description.',
    'Describe in 1 to 1024 characters what the skill does and when to use it.',
  ),
  'manifest.version': deny('Versions are compared.', 'Write major.minor.patch in quotes, such as "1.4.0".'),
  'manifest.schema': deny(
    'Input and output are checked against these schemas.',
    'Write a JSON Schema (2020-12 or draft-07) as an object.',
  ),
  'manifest.schema_missing': warn(
    'Without an input schema nobody is told how to call the skill, and any object is passed on to it.',
    'Declare the schema in the manifest, or give the parameters types in the code.',
  ),
  'manifest.entry': deny(
    'The entry is the file whose function is called.',
    'Give a path relative to the package, such as main.py or ./dist/index.js.',
  ),
  'manifest.entry_missing': deny(
    'The entry point is not in the package.',
    'Add the file, or name the one that is there.',
  ),
  'manifest.entry_guessed': warn(
    'The compiled entry is not in the package, and more than one source could be meant.',
    'Name the source file as the entry.',
  ),
  'manifest.handler': deny('Skillet calls handler(input).', 'Name the function "handler" and remove the key.'),
  'manifest.runtime': deny(
    'A skill.yaml is for Python, a spm.yaml for Node.',
    'Use python3 in skill.yaml or node in spm.yaml, with or without a version.',
  ),
  'manifest.runtime_missing': deny(
    'A skill runs on what it declares, or not at all.',
    'Declare one that there is, or any (python3, node), or have the operator install it.',
  ),
  'manifest.size': deny('Sizes set memory and default time.', 'Use S, M, L or XL.'),
  'manifest.timeout': deny('A run has to end.', 'Give seconds from 1 to 28800, or a text such as "90s", "5m" or "2h".'),
  'manifest.network': deny(
    'Only domains that are listed can be reached.',
    'List names without scheme and path, such as "api.example.com", "*.example.com" or, for another port than 80 and 443, "db.example.com:5432".',
  ),
} satisfies Record<string, Rule>
