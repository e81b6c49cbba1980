import { describe, expect, test } from 'vitest'
import type { Finding } from '../../model/packages.ts'
import { fixSkill } from '../fixes/fix-skill.ts'
import { checkSkill } from './check-skill.ts'
import type { Profile } from './profile.ts'
import { memoryFiles } from './skill-files.ts'

const GOOD = '---\nname: weather\ndescription: Tells the weather. Use when asked about it.\n---\n# Weather\n'
const check = (content: string | Uint8Array, profile: Profile = 'spec'): Finding[] =>
  checkSkill(memoryFiles({ 'SKILL.md': content }, 'weather'), { profile })
const places = (findings: Finding[]): unknown[] => findings.map(({ rule, line, column }) => [rule, line, column])
const withLine = (line: string): string => GOOD.replace('---\n#', `${line}\n---\n#`)

describe('what is good', () => {
  test.each([
    ['as it is', GOOD],
    ['with CRLF', GOOD.replaceAll('\n', '\r\n')],
    ['with CR alone', GOOD.replaceAll('\n', '\r')],
    ['with rules in the body', `${GOOD}\n---\nmore\n---\n`],
    ['with a long text over several lines', GOOD.replace('Tells', '>-\n  Tells')],
  ])('%s', (_, content) => {
    expect(check(content)).toEqual([])
  })

  test('closed at the very end of the file', () => {
    expect(places(check(GOOD.slice(0, GOOD.indexOf('\n#'))))).toEqual([['skill_md.empty_body', 4, 1]])
  })
})

describe('every finding has its line and column', () => {
  test.each<[string, string, [string, number, number]]>([
    ['a name', GOOD.replace('weather\n', 'Weather\n'), ['skill_md.name', 2, 7]],
    ['a name in quotes', GOOD.replace('weather\n', '  "Weather"\n'), ['skill_md.name', 2, 9]],
    ['with CRLF', GOOD.replace('weather\n', 'Weather\n').replaceAll('\n', '\r\n'), ['skill_md.name', 2, 7]],
    ['with CR alone', GOOD.replace('weather\n', 'Weather\n').replaceAll('\n', '\r'), ['skill_md.name', 2, 7]],
    ['a missing name', GOOD.replace('name: weather\n', ''), ['skill_md.no_name', 1, 1]],
    ['a colon in a value', GOOD.replace('Tells', 'Tells: it'), ['manifest.yaml', 3, 14]],
    ['an unknown key', withLine('colour: red'), ['skill_md.unknown_key', 4, 1]],
    ['a key twice', withLine('license: a\nlicense: b'), ['manifest.yaml', 5, 1]],
    ['a key twice, deep', withLine('metadata:\n  a: b\n  "a": c'), ['manifest.yaml', 6, 3]],
    ['a tag', withLine('license: !!binary x'), ['manifest.yaml_tag', 4, 19]],
    ['an alias as a key', withLine('license: &l a\n*l : b'), ['manifest.yaml', 5, 1]],
    ['metadata', withLine('metadata:\n  a: x\n  version: 1.0'), ['skill_md.metadata_text', 6, 12]],
    ['dashes', GOOD.replace('weather.', 'weather ---'), ['skill_md.dashes', 3, 32]],
    ['a license', withLine('license: [MIT]'), ['skill_md.field', 4, 10]],
  ])('%s', (_, content, expected) => {
    expect(places(check(content))).toContainEqual(expected)
  })
})

test('a key that is twice is not told of by what the parser happens to keep', () => {
  const [finding] = check(withLine('name: other'))
  expect(finding).toMatchObject({ severity: 'deny', message: 'The key "name" is there twice.', line: 4 })
})

test('without a SKILL.md there is one finding', () => {
  const findings = checkSkill(memoryFiles({ 'readme.md': '' }, null), { profile: 'portable' })
  expect(findings).toMatchObject([{ rule: 'skill_md.missing', severity: 'deny', file: null, column: null }])
})

test('a SKILL.md that is not at the root is named', () => {
  const findings = checkSkill(memoryFiles({ 'a.md': '', 'weather/SKILL.md': GOOD }, null), { profile: 'spec' })
  expect(findings).toMatchObject([
    {
      rule: 'skill_md.missing',
      file: 'weather/SKILL.md',
      message: 'There is no SKILL.md. "weather/SKILL.md" is not at the root.',
    },
  ])
})

test('what is no UTF-8 is not guessed at', () => {
  const latin1 = Buffer.from(GOOD.replace('Tells', 'Erzählt'), 'latin1')
  expect(places(check(latin1))).toEqual([['manifest.encoding', 3, 17]])
  const known = `\uFEFF${GOOD.replace('Tells', 'Tells \uFFFD and Erz')}`
  const broken = Buffer.concat([Buffer.from(known), Buffer.from([0xe4])])
  expect(places(check(broken))).toEqual([['manifest.encoding', GOOD.split('\n').length, 1]])
})

describe('what is no YAML is told of in plain words, with what mends it', () => {
  test.each<[string, string, { message: string; line: number; column: number; fix: string }]>([
    [
      'a colon',
      GOOD.replace('Tells', 'Tells: it'),
      {
        message: 'There is a second ": " in the value.',
        line: 3,
        column: 14,
        fix: 'Put the value in quotes, or begin what belongs to it on a line of its own.',
      },
    ],
    [
      'a tab',
      withLine('metadata:\n\ta: b'),
      { message: 'The line is indented with a tab.', line: 5, column: 1, fix: 'Indent with spaces.' },
    ],
    [
      'a key twice',
      withLine('name: other'),
      { message: 'The key "name" is there twice.', line: 4, column: 1, fix: 'Keep one of them.' },
    ],
    [
      'an alias of nothing',
      withLine('license: *mit'),
      {
        message: 'The alias "*mit" has no anchor "&mit" before it.',
        line: 4,
        column: 10,
        fix: 'Write the value out instead of referring to it.',
      },
    ],
    [
      'another slip',
      withLine('license: @mit'),
      {
        message: 'Plain value cannot start with reserved character @.',
        line: 4,
        column: 10,
        fix: 'Mend the line; quote values that hold ": " or begin with a special character.',
      },
    ],
    [
      'no end',
      GOOD.replace('\n---\n', '\n'),
      {
        message: 'The frontmatter is not closed by a line "---".',
        line: 1,
        column: 1,
        fix: 'Write a line "---" below the last key.',
      },
    ],
  ])('%s', (_, content, expected) => {
    expect(check(content)[0]).toMatchObject(expected)
  })
})

test('findings stand in the order of the files', () => {
  const content = 'Name: x\n---\n'
  const found = check(`---\nversion: 1\ndescription: "<"\nname: A_B\n${content}`, 'portable')
  const lines = found.map(({ line }) => line)
  expect(lines).toEqual(lines.toSorted((a, b) => a! - b!))
})

/** Half a megabyte of it, about: what grows with the square takes minutes. */
const many = (text: string): string => text.repeat(Math.floor(2 ** 19 / text.length))
const front = (text: string): string => `---\nname: weather\n${text}\n---\nBody\n`
const some = (text: string, bytes = 60_000): string => text.repeat(Math.floor(bytes / text.length))

/** Each of them takes minutes with an expression or a parser that goes back. */
describe('what is made to take long does not', () => {
  test.each<[string, string]>([
    ...[
      '`',
      '```\n',
      '](',
      '](a\n',
      '[a](',
      '[a]: b\n',
      ' ',
      '\n',
      '\r',
      'a\\',
      'as of ',
      '`a',
      '# ',
      '---\n',
      '](%E0%A4)\n',
    ].map((text): [string, string] => [`body of ${JSON.stringify(text)}`, `${GOOD}${many(text)}x`]),
    ['no end of the frontmatter', `---\n${many('---   x\n')}`],
    ['thousands of keys', front(Array.from({ length: 9000 }, (_, at) => `${at.toString(36)}:`).join('\n'))],
    ['thousands of values', front(`metadata:\n${Array.from({ length: 9000 }, (_, at) => ` k${at}: 1`).join('\n')}`)],
    ['commas in brackets', front(`a: [${some(',')}]`)],
    ['brackets', front(`a: ${some('[')}`)],
    ['anchors', front(`a: ${some('&a ')}`)],
    ['question marks', front(some('? '))],
    ['dashes', front(some('- '))],
    ['spaces within a line', front(`description: a${some(' ')}b`)],
    ['brackets of tools', front(`allowed-tools: ${some('(,', 7000)}`)],
    ['hyphens', front(`description: d\nlicense: ${some('-')}`)],
    ['quotes', front(`description: "${some("' ")}"`)],
    ['slips', front(some('description: a: b\n'))],
  ])(
    '%s',
    (_, content) => {
      const files = memoryFiles({ 'SKILL.md': content, 'a.md': content.slice(0, 250_000) }, 'weather')
      expect(checkSkill(files, { profile: 'portable' }).length).toBeLessThan(200)
      expect(fixSkill(files, 'portable').length).toBeLessThan(3)
    },
    60_000,
  )

  test('aliases that unfold without end', () => {
    const bomb = Array.from({ length: 9 }, (_, at) => `a${at + 1}: &a${at + 1} [${`*a${at}, `.repeat(9)}1]`).join('\n')
    const findings = check(front(`a0: &a0 [1, 2, 3]\n${bomb}`))
    expect(findings).toContainEqual(
      expect.objectContaining({ rule: 'manifest.yaml_aliases', severity: 'deny', line: 4, column: 10 }),
    )
  })

  test('a frontmatter of a size that nobody needs', () => {
    expect(check(front(`license: ${some('x', 70_000)}`))).toMatchObject([{ rule: 'manifest.too_large' }])
  })

  test('a file that is larger than a SKILL.md may be is not read', () => {
    const files = {
      folder: null,
      files: [{ path: 'SKILL.md', size: 2 ** 31 }],
      read: (): never => {
        throw new Error('must not be read')
      },
    }
    expect(checkSkill(files, { profile: 'mcp' }).map(({ rule }) => rule)).toContain('manifest.too_large')
  })
})
