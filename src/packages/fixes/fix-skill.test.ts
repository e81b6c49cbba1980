import { describe, expect, test } from 'vitest'
import { checkSkill } from '../profiles/check-skill.ts'
import type { Profile } from '../profiles/profile.ts'
import { memoryFiles } from '../profiles/skill-files.ts'
import { fixSkill } from './fix-skill.ts'

const GOOD = '---\nname: weather\ndescription: Tells the weather. Use when asked about it.\n---\n# Weather\n'
const withLine = (line: string): string => GOOD.replace('---\n#', `${line}\n---\n#`)

function fixed(content: string, profile: Profile = 'portable', more: Record<string, string> = {}): string {
  const [file] = fixSkill(memoryFiles({ 'SKILL.md': content, ...more }, 'weather'), profile)
  return file === undefined ? content : Buffer.from(file.after).toString()
}

describe('each slip is mended, and nothing else is touched', () => {
  test.each<[string, string, string]>([
    ['a byte order mark', `\uFEFF${GOOD}`, GOOD],
    ['no line break at the end', GOOD.trimEnd(), GOOD],
    ['no line break at the end, with CRLF', GOOD.trimEnd().replaceAll('\n', '\r\n'), GOOD.replaceAll('\n', '\r\n')],
    [
      'capitals and underscores',
      GOOD.replace('weather\n', 'Weather_Now # mine\n'),
      GOOD.replace('weather\n', 'weather-now # mine\n'),
    ],
    ['a name in quotes', GOOD.replace('weather\n', '"My  Weather"\n'), GOOD.replace('weather\n', 'my-weather\n')],
    ['a name with wide letters', GOOD.replace('weather\n', 'ｗeather\n'), GOOD],
    ['a name that is a number', GOOD.replace('weather\n', '007\n'), GOOD.replace('weather\n', '"007"\n')],
    ['spaces at the ends of lines', GOOD.replaceAll('---\n', '---  \n').replace('weather\n', 'weather\t \n'), GOOD],
    [
      'a colon in the description',
      GOOD.replace('Tells', 'Say "x": tells'),
      GOOD.replace(/Tells(.*)\n/, '"Say \\"x\\": tells$1"\n').replace('description: Say', 'description: "Say'),
    ],
    ['spaces within quotes', GOOD.replace(/: (Tells.*)\n/, ": '  $1 '\n"), GOOD.replace(/: (Tells.*)\n/, ": '$1'\n")],
    [
      'tools as a block list',
      withLine('allowed-tools:\n  - Read\n  - Bash(git:*)\nlicense: MIT'),
      withLine('allowed-tools: Read Bash(git:*)\nlicense: MIT'),
    ],
    [
      'tools as a flow list',
      withLine('allowed-tools: [Read, "Bash(git add *)"] # few'),
      withLine('allowed-tools: Read Bash(git add *) # few'),
    ],
    [
      'tools with commas',
      withLine('allowed-tools: Read, Bash(a, b),Grep'),
      withLine('allowed-tools: Read Bash(a, b) Grep'),
    ],
    [
      'metadata',
      withLine('metadata:\n  a: 1.0 # one\n  b:\n  c: true\n  d: yes'),
      withLine('metadata:\n  a: "1.0" # one\n  b: ""\n  c: "true"\n  d: yes'),
    ],
    ['metadata in brackets', withLine('metadata: {a: 1, b: x}'), withLine('metadata: {a: "1", b: x}')],
  ])('%s', (_, before, after) => {
    expect(fixed(before)).toBe(after)
    // What was mended stays as it is.
    expect(fixed(after)).toBe(after)
  })

  test('backslashes in paths, in every file', () => {
    const files = {
      'SKILL.md': `${GOOD}[a](docs\\a.md) \\n C:\\x\r\n`,
      'docs/a.md': 'See [x](..\\docs\\b.md)  \n',
      'docs/b.md': '',
    }
    const changed = fixSkill(memoryFiles(files, 'weather'), 'spec')
    expect(changed.map(({ path, after }) => [path, Buffer.from(after).toString()])).toEqual([
      ['SKILL.md', `${GOOD}[a](docs/a.md) \\n C:\\x\r\n`],
      ['docs/a.md', 'See [x](../docs/b.md)  \n'],
    ])
  })
})

describe('what is left alone', () => {
  test.each<[string, string]>([
    ['what is good', GOOD],
    ['line breaks of Markdown', `${GOOD}two spaces  \nmean a break\n`],
    ['a block with spaces', GOOD.replace(/: Tells.*\n/, ': |\n  Tells it.  \n  Use when asked.\n')],
    ['a list with a comment', withLine('allowed-tools:\n  - Read # why\n  - Grep')],
    ['tools that one line cannot hold', withLine('allowed-tools:\n  - "a b"\n  - Grep')],
    ['metadata that is a table', withLine('metadata:\n  a:\n    b: c')],
    ['a name that is no name at all', GOOD.replace('weather\n', 'we/ather!\n')],
    ['YAML that is broken otherwise', GOOD.replace('Tells', '[Tells: x')],
    ['a value that goes on in the next line', GOOD.replace('Tells the', 'Tells: the\n  big')],
    ['no frontmatter', '# Weather\n'],
  ])('%s', (_, content) => {
    expect(fixed(content)).toBe(content)
  })

  test('what the profile does not mind', () => {
    const content = `\uFEFF${withLine('allowed-tools: [Read]\nmetadata:\n  a: 1')}`
    expect(fixed(content, 'claude-code')).toBe(content)
  })

  test('what is no text', () => {
    const files = memoryFiles({ 'SKILL.md': Buffer.from([0xff, 0xfe, 0x2d]) }, null)
    expect(fixSkill(files, 'portable')).toEqual([])
  })
})

test('all at once, each told with the line in which its author finds it', () => {
  const before = `\uFEFF---\nname: Weather_Now\ndescription: Tells it: use when asked.\nallowed-tools:\n  - Read\n  - Grep\nmetadata:\n  v: 2\n---\nSee [a](docs\\a.md)`
  const files = memoryFiles({ 'SKILL.md': before, 'docs/a.md': '' }, 'weather-now')
  const [file] = fixSkill(files, 'portable')
  expect(file!.changes).toEqual([
    { line: 1, what: 'the byte order mark is gone' },
    { line: 2, what: 'the name "Weather_Now" becomes "weather-now"' },
    { line: 3, what: 'description is in quotes' },
    { line: 4, what: 'allowed-tools is one text' },
    { line: 8, what: 'metadata.v is in quotes' },
    { line: 10, what: 'the path "docs\\a.md" becomes "docs/a.md"' },
    { line: 10, what: 'the last line ends with a line break' },
  ])
  const after = memoryFiles({ 'SKILL.md': file!.after, 'docs/a.md': '' }, 'weather-now')
  expect(checkSkill(after, { profile: 'portable' })).toEqual([])
})
