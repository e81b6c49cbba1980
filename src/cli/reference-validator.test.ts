import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cli } from '../../tests/support/cli.ts'
import { toPrompt } from '../model/available-skills.ts'
import type { Finding } from '../model/packages.ts'
import { readSkillDocument, type SkillDocument } from '../packages/manifest/skill-document.ts'
import { findSkillMd, memoryFiles } from '../packages/profiles/skill-files.ts'
import { createFindings } from '../packages/rules.ts'

// The behaviour that the reference validator of the open specification is tested for: validator 21, parser 15 (and one of ours), prompt 4.
let work: string
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'skillet-reference-'))
})
afterAll(() => rm(work, { recursive: true, force: true }))

async function refusals(path: string, files: Record<string, string>): Promise<string[] | number> {
  for (const [file, content] of Object.entries(files)) {
    await mkdir(dirname(join(work, path, file)), { recursive: true })
    await writeFile(join(work, path, file), content)
  }
  const { code, out } = await cli(['validate', `./${path}`, '--profile', 'spec', '--format', 'json'], { cwd: work })
  if (code === 2) return code
  const { valid, findings } = JSON.parse(out) as { valid: boolean; findings: Finding[] }
  expect([valid, code]).toEqual(valid ? [true, 0] : [false, 6])
  return findings.filter(({ severity }) => severity === 'deny').map(({ message }) => message)
}

const face = (name: string, more = '', description = 'Makes samples'): Record<string, string> => ({
  'SKILL.md': `---\nname: ${name}\ndescription: ${description}\n${more}---\nText\n`,
})

describe('validator', () => {
  const long = 'b'.repeat(70)
  test.each<[string, string, Record<string, string>, RegExp | null]>([
    ['a good skill', 'sample', face('sample'), null],
    ['no SKILL.md', 'bare', { 'readme.txt': '' }, /no SKILL\.md/],
    ['capitals', 'Sample', face('Sample'), /lowercase/],
    ['more than 64 letters', long, face(long), /exceeds 64 characters/],
    ['a hyphen in front', '-sample', face('-sample'), /cannot start or end with a hyphen/],
    ['two hyphens together', 'a--sample', face('a--sample'), /consecutive hyphens/],
    ['an underscore', 'a_sample', face('a_sample'), /no letters, digits or hyphens/],
    ['a folder of another name', 'other', face('right'), /must match the skill name/],
    [
      'a field of no specification',
      'extra',
      face('extra', 'own_field: x\n'),
      /"own_field" is not in the open specification/,
    ],
    ['more fields', 'fields', face('fields', 'license: MIT\nmetadata:\n  author: Somebody\n'), null],
    ['allowed tools', 'tools', face('tools', 'allowed-tools: Bash(jq:*) Bash(git:*)\n'), null],
    ['Chinese', '技能', face('技能'), null],
    ['Russian with a hyphen', 'мой-навык', face('мой-навык'), null],
    ['Russian', 'навык', face('навык'), null],
    ['Russian capitals', 'НАВЫК', face('НАВЫК'), /lowercase/],
    ['a long description', 'wordy', face('wordy', '', 'x'.repeat(1100)), /exceeds 1024/],
    ['a compatibility', 'fits', face('fits', 'compatibility: Needs Python 3.11+\n'), null],
    ['a long compatibility', 'unfit', face('unfit', `compatibility: ${'x'.repeat(550)}\n`), /1 to 500 .*exceeds/],
    ['an accent of its own', 'caf\u00E9', face('cafe\u0301'), null],
  ])('%s', async (_, folder, files, complaint) => {
    const told = await refusals(folder, files)
    if (complaint === null) expect(told).toEqual([])
    else expect(told).toContainEqual(expect.stringMatching(complaint))
  })

  test('a path that is not there', async () => {
    expect(await refusals('nowhere', {})).toBe(2)
  })

  test('a file that is no skill', async () => {
    await writeFile(join(work, 'a.txt'), 'text')
    expect(await refusals('a.txt', {})).toBe(2)
  })
})

function parse(content: string): { document: SkillDocument; rules: string[] } {
  const findings = createFindings('spec')
  const document = readSkillDocument(Buffer.from(content), 'SKILL.md', findings)!
  return { document, rules: findings.list().map(({ rule }) => rule) }
}
async function refused(folder: string, content: string): Promise<string[]> {
  await refusals(folder, { 'SKILL.md': content })
  const { out } = await cli(['validate', folder, '--format', 'json'], { cwd: work })
  return (JSON.parse(out) as { findings: Finding[] }).findings.map(({ rule }) => rule)
}

describe('parser', () => {
  test('name, description and body', () => {
    const { document, rules } = parse('---\nname: sample\ndescription: Makes samples\n---\n# Sample\n\nDo it.\n')
    expect(document.map!.values).toEqual({ name: 'sample', description: 'Makes samples' })
    expect([document.body, rules]).toEqual(['# Sample\n\nDo it.\n', []])
  })

  test.each([
    ['no frontmatter', '# Text alone', 'skill_md.frontmatter'],
    ['no end of it', '---\nname: sample\ndescription: Makes samples\n', 'skill_md.frontmatter'],
    ['no YAML', '---\nname: [open\ndescription: broken\n---\nText\n', 'manifest.yaml'],
    ['a list', '---\n- only\n- a\n- list\n---\nText\n', 'manifest.not_a_map'],
  ])('%s', (_, content, rule) => {
    const { document, rules } = parse(content)
    expect([document.map, rules]).toEqual([null, expect.arrayContaining([rule])])
  })

  test.each([
    ['a license', 'license: MIT', { license: 'MIT' }],
    [
      'metadata',
      'metadata:\n  author: Somebody\n  version: "1.0"',
      { metadata: { author: 'Somebody', version: '1.0' } },
    ],
    ['allowed tools', 'allowed-tools: Bash(jq:*) Bash(git:*)', { 'allowed-tools': 'Bash(jq:*) Bash(git:*)' }],
  ])('%s', (_, line, values) => {
    const { document } = parse(`---\nname: sample\ndescription: Makes samples\n${line}\n---\n`)
    expect(document.map!.values).toMatchObject({ name: 'sample', description: 'Makes samples', ...values })
  })

  test('metadata that is a number is accepted', async () => {
    expect(await refusals('versioned', face('versioned', 'metadata:\n  version: 1.0\n'))).toEqual([])
  })

  test('a file of another name alone', async () => {
    expect(await refusals('unnamed', { 'README.md': '' })).toEqual([expect.stringContaining('no SKILL.md')])
  })

  test('no name', async () => {
    expect(await refused('nameless', '---\ndescription: Makes samples\n---\nText\n')).toContain('skill_md.no_name')
  })

  test('no description', async () => {
    expect(await refused('silent', '---\nname: silent\n---\nText\n')).toContain('skill_md.no_description')
  })

  test.each([
    ['both', { 'SKILL.md': 'a', 'skill.md': 'b' }, 'SKILL.md'],
    ['the one in small letters', { 'skill.md': 'b' }, 'skill.md'],
    ['none', {}, null],
  ])('which file it is: %s', (_, content, found) => {
    expect(findSkillMd(memoryFiles(content, null))).toBe(found)
  })

  test('the one in small letters is read', async () => {
    expect(await refusals('small', { 'skill.md': face('small')['SKILL.md']! })).toEqual([])
  })
})

describe('prompt', () => {
  const one = { name: 'sample', description: 'Makes samples', location: '/skills/sample/SKILL.md' }

  test('of nothing', () => {
    expect(toPrompt([])).toBe('<available_skills>\n</available_skills>')
  })

  test('of one skill', () => {
    expect(toPrompt([one]).split('\n')).toEqual([
      '<available_skills>',
      '<skill>',
      '<name>',
      'sample',
      '</name>',
      '<description>',
      'Makes samples',
      '</description>',
      '<location>',
      '/skills/sample/SKILL.md',
      '</location>',
      '</skill>',
      '</available_skills>',
    ])
  })

  test('of several', () => {
    const text = toPrompt([one, { ...one, name: 'other' }])
    expect(text.match(/<skill>/g)).toHaveLength(2)
    expect(text.match(/<\/skill>/g)).toHaveLength(2)
    expect(text).toMatch(/\nsample\n[^]*\nother\n/)
  })

  test('of what would be markup', () => {
    const { name, location } = { name: '</skill>', location: '/a&b' }
    const text = toPrompt([{ name, description: 'Uses <foo> & "bar"', location }])
    expect(text).toContain('Uses &lt;foo&gt; &amp; &quot;bar&quot;')
    expect(text).toContain('&lt;/skill&gt;\n')
    expect(text).toContain('/a&amp;b')
    expect(text).not.toContain('<foo>')
  })
})
