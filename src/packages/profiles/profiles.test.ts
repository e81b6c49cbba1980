import { describe, expect, test } from 'vitest'
import { checkSkill } from './check-skill.ts'
import { AUTHORING_RULES } from './authoring-rules.ts'
import { FORMAT_RULES } from './format-rules.ts'
import { type Level, PROFILES, type Profile } from './profile.ts'
import { memoryFiles } from './skill-files.ts'

const skill = (more: string, name = 'weather', description = 'Tells the weather. Use when asked about it.'): string =>
  `---\nname: ${name}\ndescription: ${description}\n${more}---\nBody\n`

/** The gravest finding of each rule, by profile. */
function found(content: string | Uint8Array, rule: string, folder: string | null = null): Record<Profile, Level> {
  const levels = PROFILES.map((profile) => {
    const findings = checkSkill(memoryFiles({ 'SKILL.md': content }, folder), { profile })
    return [profile, findings.find((one) => one.rule === rule)?.severity ?? 'off']
  })
  return Object.fromEntries(levels) as Record<Profile, Level>
}

/** What is denied at all, by profile. */
function isRefused(content: string, folder: string | null = null): Profile[] {
  return PROFILES.filter((profile) =>
    checkSkill(memoryFiles({ 'SKILL.md': content }, folder), { profile }).some(({ severity }) => severity === 'deny'),
  )
}

describe('where validators disagree', () => {
  // In the order of PROFILES: spec, claude-api, claude-code, mcp, portable.
  test.each<[string, string, string, Level[]]>([
    ['a name in Chinese', skill('', '天气'), 'skill_md.name_not_ascii', ['off', 'deny', 'warn', 'deny', 'deny']],
    ['a name in Greek', skill('', 'καιρός'), 'skill_md.name_not_ascii', ['off', 'deny', 'warn', 'deny', 'deny']],
    ['an unknown key', skill('colour: red\n'), 'skill_md.unknown_key', ['deny', 'deny', 'warn', 'off', 'deny']],
    ['a key of Claude Code', skill('model: opus\n'), 'skill_md.unknown_key', ['deny', 'deny', 'off', 'off', 'deny']],
    [
      '< and > in the description',
      skill('', 'weather', 'Tells the <b>weather</b>. Use when asked.'),
      'skill_md.description_markup',
      ['off', 'deny', 'off', 'off', 'deny'],
    ],
    [
      '"claude" in the name',
      skill('', 'claude-weather'),
      'skill_md.name_reserved',
      ['off', 'deny', 'off', 'off', 'deny'],
    ],
    [
      '"anthropic" in the name',
      skill('', 'anthropic'),
      'skill_md.name_reserved',
      ['off', 'deny', 'off', 'off', 'deny'],
    ],
    [
      'tools as a flow list',
      skill('allowed-tools: [Read, Grep]\n'),
      'skill_md.tools_list',
      ['deny', 'off', 'off', 'off', 'deny'],
    ],
    [
      'tools as a block list',
      skill('allowed-tools:\n  - Read\n'),
      'skill_md.tools_list',
      ['deny', 'off', 'off', 'off', 'deny'],
    ],
    ['a name in snake_case', skill('', 'weather_now'), 'skill_md.name', ['deny', 'deny', 'warn', 'deny', 'deny']],
    [
      'metadata that is a number',
      skill('metadata:\n  v: 1.0\n'),
      'skill_md.metadata_text',
      ['warn', 'off', 'off', 'deny', 'deny'],
    ],
    ['a byte order mark', `\uFEFF${skill('')}`, 'skill_md.byte_order_mark', ['warn', 'deny', 'off', 'off', 'deny']],
    ['brackets', skill('metadata: {a: "b"}\n'), 'skill_md.flow_style', ['warn', 'off', 'off', 'off', 'deny']],
    ['an anchor', skill('license: &l MIT\n'), 'skill_md.simple_yaml', ['warn', 'off', 'off', 'deny', 'deny']],
    ['no name', skill('').replace(/name.*\n/, ''), 'skill_md.no_name', ['deny', 'deny', 'off', 'deny', 'deny']],
    ['no frontmatter', '# Weather\n', 'skill_md.frontmatter', ['deny', 'deny', 'warn', 'deny', 'deny']],
    [
      'dashes in a value',
      skill('', 'weather', 'Tells the weather --- when asked.'),
      'skill_md.dashes',
      ['warn', 'off', 'off', 'off', 'deny'],
    ],
  ])('%s', (_, content, rule, levels) => {
    expect(found(content, rule)).toEqual(Object.fromEntries(PROFILES.map((profile, at) => [profile, levels[at]])))
  })

  test('a folder of another name', () => {
    const levels = found(skill(''), 'skill_md.name_folder', 'forecast')
    expect(levels).toEqual({ spec: 'deny', 'claude-api': 'deny', 'claude-code': 'warn', mcp: 'deny', portable: 'deny' })
  })

  test('what is the matter is the only matter: nothing else is denied for it', () => {
    expect(isRefused(skill('', 'навык'), 'навык')).toEqual(['claude-api', 'mcp', 'portable'])
    expect(isRefused(skill('', 'claude-weather'), 'claude-weather')).toEqual(['claude-api', 'portable'])
    expect(isRefused(skill('model: opus\n'))).toEqual(['spec', 'claude-api', 'portable'])
    expect(
      isRefused(skill('license: MIT\ncompatibility: git\nmetadata:\n  a: "1"\nallowed-tools: Read\n'), 'weather'),
    ).toEqual([])
  })

  test('the Claude API names all unknown keys in its own words', () => {
    const content = skill('version: "1"\nauthor: me\n')
    const findings = checkSkill(memoryFiles({ 'SKILL.md': content }, null), { profile: 'claude-api' })
    expect(findings).toMatchObject([
      {
        message:
          'Unexpected key(s) in SKILL.md frontmatter: author, version. Allowed properties are: allowed-tools, compatibility, description, license, metadata, name',
        line: 4,
        column: 1,
      },
    ])
  })
})

test('portable is as strict as the strictest', () => {
  const weight = { off: 0, warn: 1, deny: 2 }
  for (const [id, { levels }] of Object.entries({ ...FORMAT_RULES, ...AUTHORING_RULES })) {
    const strictest = Math.max(...PROFILES.map((profile) => weight[levels[profile]]))
    expect(weight[levels.portable], id).toBe(strictest)
  }
})

test('advice never refuses a skill', () => {
  for (const { levels } of Object.values(AUTHORING_RULES)) expect(Object.values(levels)).not.toContain('deny')
})

test('too many files and too many bytes', () => {
  const many = Object.fromEntries(Array.from({ length: 512 }, (_, at) => [`${at}.txt`, '']))
  const files = memoryFiles({ 'SKILL.md': skill(''), ...many }, 'weather')
  const rules = (profile: Profile, of = files): string[] => checkSkill(of, { profile }).map(({ rule }) => rule)
  expect(PROFILES.filter((profile) => rules(profile).includes('skill_md.too_many_files'))).toEqual(['mcp', 'portable'])
  const large = { ...files, files: [...files.files.slice(0, 1), { path: 'data.bin', size: 20_000_000 }] }
  expect(PROFILES.filter((profile) => rules(profile, large).includes('skill_md.too_large'))).toEqual([
    'mcp',
    'portable',
  ])
  const huge = { ...files, files: [...files.files.slice(0, 1), { path: 'data.bin', size: 31_000_000 }] }
  expect(rules('claude-api', huge)).toEqual(['skill_md.too_large'])
})
