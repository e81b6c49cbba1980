import { describe, expect, test } from 'vitest'
import type { Finding } from '../../model/packages.ts'
import { checkSkill } from './check-skill.ts'
import { memoryFiles } from './skill-files.ts'

const GOOD = 'Extracts tables from PDF files. Use when the user mentions PDFs.'

function check(body: string, more: Record<string, string> = {}, description = GOOD): Finding[] {
  const content = `---\nname: sample\ndescription: ${JSON.stringify(description)}\n---\n${body}`
  return checkSkill(memoryFiles({ 'SKILL.md': content, ...more }, 'sample'), { profile: 'spec' })
}
const places = (findings: Finding[]): unknown[] =>
  findings.map(({ rule, file, line, column }) => [rule, file, line, column])

describe('the description', () => {
  test.each([
    ['I can extract tables from PDF files when you ask.', 'I can'],
    ["I'll extract the tables of PDF files when asked.", "I'll"],
    ['You can use this to extract tables from PDF files when needed.', 'You can use'],
    ['Helps you extract the tables of PDF files when needed.', 'Helps you'],
    ['We provide tables of PDF files when needed.', 'We provide'],
  ])('speaks of itself or to the reader: %s', (description, said) => {
    const findings = check('Body', {}, description)
    expect(findings).toMatchObject([{ rule: 'authoring.third_person', severity: 'warn', line: 3, column: 14 }])
    expect(findings[0]!.message).toContain(`"${said}"`)
  })

  test.each([
    GOOD,
    'Makes GIFs for Slack. Use for requests such as "make me a GIF" or "can you help me draw".',
    'Handles I/O of Phase I trials and We-Charge meters. Use when the user names them.',
    'Compares US and us-east-1 prices. Use if somebody asks for prices of the cloud.',
    'Toolkit for building MCP servers; use it to integrate the APIs of services.',
    'Erzeugt Berichte aus Messwerten, sobald jemand danach fragt.',
    '从 PDF 文件中提取表格。',
    'Извлекает таблицы из файлов PDF по просьбе.',
  ])('is left alone: %s', (description) => {
    expect(check('Body', {}, description)).toEqual([])
  })

  test('says too little', () => {
    expect(places(check('Body', {}, 'Helps when documents'))).toEqual([['authoring.says_what', 'SKILL.md', 3, 14]])
    expect(places(check('Body', {}, 'Toolkit for the styling of slides with a theme.'))).toEqual([
      ['authoring.says_when', 'SKILL.md', 3, 14],
    ])
  })
})

describe('the body', () => {
  test('has 500 lines and no more', () => {
    expect(check('line\n'.repeat(500))).toEqual([])
    expect(places(check('line\n'.repeat(501)))).toEqual([['skill_md.long_body', 'SKILL.md', 5, 1]])
  })

  test('has a budget of tokens', () => {
    expect(check(`${'some words of a line '.repeat(900)}\n`)).toEqual([])
    const findings = check(`${'some words of a line '.repeat(1100)}\n`)
    expect(findings).toMatchObject([{ rule: 'authoring.body_tokens', message: 'The body has about 5501 tokens.' }])
  })
})

describe('references', () => {
  test('that are not there', () => {
    const body = [
      'See [forms](forms.md), [api](reference/api.md "Title") and ![logo](assets/logo.png).',
      '',
      '[more]: missing.md',
    ].join('\n')
    const findings = check(body, { 'forms.md': '' })
    expect(places(findings)).toEqual([
      ['authoring.reference_missing', 'SKILL.md', 5, 30],
      ['authoring.reference_missing', 'SKILL.md', 5, 68],
      ['authoring.reference_missing', 'SKILL.md', 7, 9],
    ])
  })

  test('that are there, are none, or lead elsewhere', () => {
    const body = [
      '[a](forms.md#fields) [b](./forms.md) [c](<my file.md>) [d](my%20file.md) [e](scripts/) [f](scripts)',
      '[g](https://example.com/x.md) [h](mailto:a@example.com) [i](#top) [j](/etc/hosts) [k](~/x.md) [l](url) [m]({file}.md)',
      '`[n](gone.md)`',
      '```md',
      '[o](gone.md)',
      '```',
    ].join('\n')
    expect(check(body, { 'forms.md': '', 'my file.md': '', 'scripts/a.py': '' })).toEqual([])
  })

  test('out of the skill', () => {
    expect(places(check('[a](../other/SKILL.md)'))).toEqual([['authoring.reference_missing', 'SKILL.md', 5, 5]])
  })

  test('two steps away', () => {
    const files = { 'reference/a.md': 'x\nSee [b](b.md) and [c](c.md).', 'reference/b.md': '', 'reference/c.md': '' }
    expect(places(check('[a](reference/a.md), then `reference/c.md`', files))).toEqual([
      ['authoring.reference_depth', 'reference/a.md', 2, 9],
    ])
    // A folder that is named names what is in it.
    expect(check('[a](reference/a.md); all of reference/ helps', files)).toEqual([])
  })

  test('that are long without a table of contents', () => {
    const long = `# A\n${'line\n'.repeat(99)}`
    const body = '[a](a.md)'
    expect(check(body, { 'a.md': long })).toEqual([])
    expect(places(check(body, { 'a.md': `${long}line\n` }))).toEqual([['authoring.contents', 'a.md', 1, 1]])
    // Nobody is sent there.
    expect(check('Body', { 'a.md': `${long}line\n` })).toEqual([])
    for (const contents of [
      '## Contents',
      '**Table of contents**',
      '- [A](#a)\n- [B](#b)\n- [C](#c)',
      '1. First\n2. Second\n3. Third\n## First\n## Second\n## Third',
    ]) {
      expect(check(body, { 'a.md': `# A\n${contents}\n${long}` }), contents).toEqual([])
    }
  })
})

describe('paths', () => {
  test('with backslashes, in text, code and links', () => {
    const body = 'Run `scripts\\a.py`.\n```sh\npython scripts\\a.py\n```\n[b](docs\\b.md)'
    expect(places(check(body, { 'scripts/a.py': '', 'docs/b.md': '' }))).toEqual([
      ['authoring.forward_slash', 'SKILL.md', 5, 6],
      ['authoring.forward_slash', 'SKILL.md', 7, 8],
      ['authoring.forward_slash', 'SKILL.md', 9, 5],
    ])
  })

  test('that are none of the skill', () => {
    expect(check('Open C:\\Users\\me, match \\d\\.\\w, write \\n.')).toEqual([])
  })
})

describe('tools of MCP', () => {
  test('without their server', () => {
    expect(places(check('Use the `create_issue` MCP tool.\nCall the MCP tool `search`.'))).toEqual([
      ['authoring.mcp_tool', 'SKILL.md', 5, 10],
      ['authoring.mcp_tool', 'SKILL.md', 6, 20],
    ])
  })

  test('with it, or none', () => {
    expect(
      check('Use the `GitHub:create_issue` MCP tool, `mcp__github__search` MCP tool, or the `Read` tool.'),
    ).toEqual([])
  })
})

describe('what will be over one day', () => {
  test.each([
    'Before August 2025, use v1.',
    'As of 2024 it is free.',
    'Until 2025-06-01 only.',
    'At the time of writing: 3.',
  ])('%s', (line) => {
    expect(places(check(line))).toEqual([['authoring.dated', 'SKILL.md', 5, 1]])
  })

  test.each([
    'Copyright 2024. Format years as 2024, not 2,024. Papers since 2020 in 2025.',
    'You may march on, as of now.',
    '## Old patterns\n\nUntil May 2024 it was v1.',
    '# Legacy\n## Details\nUntil May 2024 it was v1.',
    '<details>\n<summary>v1</summary>\nUntil May 2024 it was v1.\n</details>',
    '```\nUntil May 2024\n```\n`before May 2024`',
  ])('is left alone: %j', (body) => {
    expect(check(body)).toEqual([])
  })

  test('a section of old things ends with the next one', () => {
    expect(places(check('## Old patterns\nx\n## New\nUntil May 2024 x.'))).toEqual([
      ['authoring.dated', 'SKILL.md', 8, 1],
    ])
  })
})
