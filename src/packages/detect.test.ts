import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DraftResult } from './detect.ts'
import { MANIFEST_RULES } from './manifest/manifest-rules.ts'
import { createPackageReader } from './package-reader.ts'

let work: string
let count = 0
const reader = createPackageReader({ threads: 1 })
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'skillet-detect-'))
})
afterAll(async () => {
  await reader.close()
  await rm(work, { recursive: true, force: true })
})

async function read(contents: Record<string, string | Buffer>, name = 'weather'): Promise<DraftResult> {
  const dir = join(work, `${++count}`)
  for (const [path, content] of Object.entries(contents)) {
    await mkdir(dirname(join(dir, path)), { recursive: true })
    await writeFile(join(dir, path), content)
  }
  const files = Object.keys(contents).map((path) => ({ path, size: 0, sha256: '', executable: false }))
  return reader.readDraft({ dir, files }, name)
}

const told = (result: DraftResult): unknown[] => result.findings.map(({ rule, file, line }) => [rule, file, line])
const MAIN = 'def handler(input: dict) -> dict:\n    return {}\n'
const SPM = `spm: "1.0"
namespace: acme
name: weather
version: "1.2.0"
description: Tells the weather. Use when asked about it.
entry: ./dist/index.js
runtime: node
input:
  type: object
  properties:
    city: { type: string }
  required: [city]
output: { type: object }
network: [api.weather.dev, "*.example.com"]
size: S
timeout: 90s
`
const SKILL = '---\nname: weather\ndescription: Tells the weather.\n---\n# Weather\n'

describe('formats', () => {
  test('a Python skill without a manifest', async () => {
    const { draft, findings } = await read({ 'main.py': MAIN })
    expect(findings).toEqual([])
    expect(draft).toMatchObject({
      format: 'python',
      name: 'weather',
      description: null,
      entry: 'main.py',
      runtime: 'python3',
      input_schema: null,
    })
  })

  test('a Python skill with every key', async () => {
    const yaml =
      'name: weather\ndescription: Tells it.\nversion: "2.0.1"\nentry: src/app.py\nhandler: handler\nruntime: python3.11\nsize: L\ntimeout: 2h\nnetwork: []\ninput_schema: {type: object}\noutput_schema: {type: object}\n'
    const { draft, findings } = await read({ 'skill.yaml': yaml, 'src/app.py': MAIN })
    expect(findings).toEqual([])
    expect(draft).toEqual({
      format: 'python',
      name: 'weather',
      description: 'Tells it.',
      declared_version: '2.0.1',
      input_schema: { type: 'object' },
      output_schema: { type: 'object' },
      runtime: 'python3.11',
      entry: 'src/app.py',
      defaults: { size: 'L', timeout_s: 7200, network: [] },
      skill_md: null,
      declared_at: { file: 'skill.yaml', runtime_line: 6, input_line: 10, output_line: 11 },
    })
  })

  test.each([
    ['python', 'python3'],
    ['python3', 'python3'],
    ['python3.13', 'python3.13'],
  ])('the runtime %s of a skill.yaml', async (declared, runtime) => {
    const { draft, findings } = await read({ 'skill.yaml': `runtime: ${declared}`, 'main.py': MAIN })
    expect([draft!.runtime, findings]).toEqual([runtime, []])
  })

  test.each([
    ['nodejs', 'node24'],
    ['node24', 'node24'],
    ['nodejs20', 'node20'],
  ])('the runtime %s of a spm.yaml', async (declared, runtime) => {
    const { draft, findings } = await read({
      'spm.yaml': SPM.replace(': node\n', `: ${declared}\n`),
      'src/index.ts': '',
    })
    expect([draft!.runtime, findings]).toEqual([runtime, []])
  })

  test('a TypeScript skill whose entry is compiled from a source', async () => {
    const { draft, findings } = await read({ 'spm.yaml': SPM, 'src/index.ts': '', 'package.json': '{}' })
    expect(findings).toEqual([])
    expect(draft).toMatchObject({
      format: 'typescript',
      entry: 'src/index.ts',
      runtime: 'node24',
      declared_version: '1.2.0',
      input_schema: { required: ['city'] },
      defaults: { size: 'S', timeout_s: 90, network: ['api.weather.dev', '*.example.com'] },
    })
  })

  test.each<[string, Record<string, string>, string, boolean]>([
    ['as it is named', { 'dist/index.js': '', 'src/index.ts': '' }, 'dist/index.js', false],
    ['the source at the root', { 'index.ts': '' }, 'index.ts', false],
    [
      'the main of package.json',
      { 'lib/main.mjs': '', 'package.json': '{"main": "./lib/main.mjs"}' },
      'lib/main.mjs',
      false,
    ],
    ['one of two', { 'src/index.ts': '', 'index.ts': '' }, 'src/index.ts', true],
  ])('the entry is found: %s', async (_, files, entry, guessed) => {
    const { draft, findings } = await read({ 'spm.yaml': SPM, ...files })
    expect(draft!.entry).toBe(entry)
    expect(findings.map(({ rule, line }) => [rule, line])).toEqual(guessed ? [['manifest.entry_guessed', 6]] : [])
  })

  test('a SKILL.md alone', async () => {
    const { draft, findings } = await read({ 'SKILL.md': SKILL, 'scripts/a.py': '', 'main.py': 'print(1)' })
    expect(findings).toEqual([])
    expect(draft).toMatchObject({
      format: 'skill-md',
      name: 'weather',
      description: 'Tells the weather.',
      entry: null,
      skill_md: { frontmatter: { name: 'weather', description: 'Tells the weather.' }, body: '# Weather\n' },
    })
  })

  test('a SKILL.md and a handler are one skill with both faces', async () => {
    const { draft } = await read({ 'SKILL.md': SKILL, 'main.py': MAIN })
    expect(draft).toMatchObject({
      format: 'python',
      description: 'Tells the weather.',
      skill_md: { body: '# Weather\n' },
    })
    const both = await read({ 'SKILL.md': SKILL.replace('weather', 'forecast'), 'spm.yaml': SPM, 'index.ts': '' })
    expect(both.draft).toMatchObject({
      format: 'typescript',
      name: 'weather',
      description: expect.stringContaining('Use when'),
    })
    expect(told(both)).toEqual([['manifest.name_differs', 'SKILL.md', null]])
  })

  test('a package for another skill is remarked on', async () => {
    const { findings } = await read({ 'SKILL.md': SKILL }, 'news')
    expect(findings).toMatchObject([{ rule: 'manifest.name_differs', severity: 'warn' }])
  })
})

const good = (text: string | Buffer): Promise<DraftResult> => read({ 'SKILL.md': text })

describe('SKILL.md', () => {
  test.each<[string, string | Buffer, string]>([
    ['a byte order mark', `\ufeff${SKILL}`, '# Weather\n'],
    ['CRLF', SKILL.replaceAll('\n', '\r\n'), '# Weather\r\n'],
    ['rules in the body', `${SKILL}\n---\nmore\n---\n`, '# Weather\n\n---\nmore\n---\n'],
    ['spaces after the fence', SKILL.replaceAll('---\n', '---  \n'), '# Weather\n'],
    ['dashes in a value', SKILL.replace('Tells the', 'Tells --- the').replace('name:', '# ---\nname:'), '# Weather\n'],
  ])('%s', async (_, text, body) => {
    const { draft, findings } = await good(text)
    expect(findings).toEqual([])
    expect(draft!.skill_md!.body).toBe(body)
  })

  test('a closing line at the end of the file', async () => {
    const { draft, findings } = await good(SKILL.slice(0, SKILL.indexOf('# W') - 1))
    expect(draft!.skill_md!.body).toBe('')
    expect(findings).toMatchObject([{ rule: 'skill_md.empty_body', severity: 'warn' }])
  })

  test('the six fields, kept as they are', async () => {
    const more =
      'license: Apache-2.0\ncompatibility: Needs git\nmetadata:\n  author: acme\n  yes: "no"\nallowed-tools: Bash(git:*) Read\n'
    const { draft, findings } = await good(SKILL.replace('---\n#', `${more}---\n#`))
    expect(findings).toEqual([])
    expect(draft!.skill_md!.frontmatter).toMatchObject({
      metadata: { author: 'acme', yes: 'no' },
      'allowed-tools': 'Bash(git:*) Read',
    })
  })

  const field = (line: string): string => SKILL.replace('---\n#', `${line}\n---\n#`)
  test.each<[string, string, string, number]>([
    ['no frontmatter', '# Weather', 'skill_md.frontmatter', 1],
    ['a line before it', `\n${SKILL}`, 'skill_md.frontmatter', 1],
    ['no end of it', '---\nname: weather\n', 'skill_md.frontmatter', 1],
    ['a fence that is not alone', '---\nname: a\n--- x\n', 'skill_md.frontmatter', 1],
    ['no name', SKILL.replace('name: weather\n', ''), 'skill_md.no_name', 1],
    ['a name in capitals', SKILL.replace('weather\n', 'Weather\n'), 'skill_md.name', 2],
    ['a name with two hyphens', SKILL.replace('weather\n', 'we--ather\n'), 'skill_md.name', 2],
    ['a name that is too long', SKILL.replace('weather\n', `${'w'.repeat(65)}\n`), 'skill_md.name', 2],
    ['a name that is a number', SKILL.replace('weather\n', '7\n'), 'skill_md.name', 2],
    ['no description', SKILL.replace(/description.*\n/, ''), 'skill_md.no_description', 1],
    ['a blank description', SKILL.replace('Tells the weather.', '"  "'), 'skill_md.description', 3],
    ['a long description', SKILL.replace('Tells the weather.', 'x'.repeat(1025)), 'skill_md.description', 3],
    ['a colon in a value', SKILL.replace('Tells the', 'Use when: the'), 'manifest.yaml', 3],
    ['a key twice', field('name: other'), 'manifest.yaml', 4],
    ['a tag', field('license: !!js/function x'), 'manifest.yaml_tag', 4],
    ['an empty compatibility', field('compatibility: ""'), 'skill_md.field', 4],
    ['metadata as a list', field('metadata: [a]'), 'skill_md.field', 4],
    ['a license that is a list', field('license: [a]'), 'skill_md.field', 4],
    ['tools that are a number', field('allowed-tools: 3'), 'skill_md.field', 4],
  ])('is refused for %s', async (_, text, rule, line) => {
    const { findings } = await good(text)
    expect(findings).toContainEqual(expect.objectContaining({ rule, severity: 'deny', file: 'SKILL.md', line }))
  })

  test.each<[string, string, string]>([
    ['an unknown key', field('model: opus'), 'skill_md.unknown_key'],
    ['a reserved word', SKILL.replace('weather\n', 'claude-weather\n'), 'skill_md.name_reserved'],
    ['a tag in the description', SKILL.replace('Tells', '<b>Tells'), 'skill_md.description_markup'],
    ['a list of tools', field('allowed-tools: [Read]'), 'skill_md.tools_list'],
    ['metadata that is a number', field('metadata: {a: 1.0}'), 'skill_md.metadata_text'],
    ['a long body', SKILL + 'line\n'.repeat(501), 'skill_md.long_body'],
  ])('is remarked on for %s', async (_, text, rule) => {
    const { findings, draft } = await good(text)
    expect(findings).toContainEqual(expect.objectContaining({ rule, severity: 'warn' }))
    expect(draft).not.toBeNull()
  })

  test('a misspelt key is recognised', async () => {
    const { findings } = await good(field('licence: MIT'))
    expect(findings[0]!.message).toContain('Did you mean "license"?')
  })

  test('one in lower case', async () => {
    const { findings, draft } = await read({ 'skill.md': SKILL })
    expect(findings).toMatchObject([{ rule: 'skill_md.file_name' }])
    expect(draft!.format).toBe('skill-md')
  })
})

test('a skill is measured in the thread by any profile', async () => {
  const dir = join(work, `${++count}`)
  await mkdir(join(dir, 'docs'), { recursive: true })
  await writeFile(join(dir, 'SKILL.md'), `${SKILL.replace('weather\n', 'claude-weather\n')}[a](docs/a.md)\n`)
  await writeFile(join(dir, 'docs/a.md'), 'line\n'.repeat(101))
  const files = ['SKILL.md', 'docs/a.md'].map((path) => ({ path, size: 0, sha256: '', executable: false }))
  const rules = async (check: Parameters<typeof reader.checkSkill>[1]): Promise<string[]> =>
    (await reader.checkSkill({ dir, files }, check)).map(({ rule }) => rule)
  expect(await rules({ profile: 'claude-api', folder: 'claude-weather', authoring: false })).toEqual([
    'skill_md.name_reserved',
  ])
  expect(await rules({ profile: 'spec', folder: 'weather' })).toEqual([
    'skill_md.name_folder',
    'authoring.says_what',
    'authoring.says_when',
    'authoring.contents',
  ])
})

describe('manifests that are refused', () => {
  const bomb = `a0: &a0 [x, x, x, x, x, x, x, x, x]\n${Array.from({ length: 9 }, (_, n) => `a${n + 1}: &a${n + 1} [${Array.from({ length: 9 }, () => `*a${n}`).join(', ')}]`).join('\n')}`

  test.each<[string, Record<string, string | Buffer>, unknown[]]>([
    ['none', { 'readme.txt': '' }, ['manifest.missing', null, null]],
    ['two', { 'spm.yaml': SPM, 'skill.yaml': '', 'index.ts': '' }, ['manifest.ambiguous', 'skill.yaml', null]],
    ['broken YAML', { 'skill.yaml': 'a: 1\nb: [', 'main.py': MAIN }, ['manifest.yaml', 'skill.yaml', 2]],
    ['two documents', { 'skill.yaml': 'a: 1\n---\nb: 2', 'main.py': MAIN }, ['manifest.yaml', 'skill.yaml', 2]],
    ['aliases that unfold', { 'skill.yaml': bomb, 'main.py': MAIN }, ['manifest.yaml_aliases', 'skill.yaml', 2]],
    ['an alias of itself', { 'skill.yaml': 'a: &a [*a]', 'main.py': MAIN }, ['manifest.too_large', 'skill.yaml', 1]],
    ['deep nesting', { 'skill.yaml': `a: ${'['.repeat(50_000)}`, 'main.py': MAIN }, ['manifest.yaml', 'skill.yaml', 1]],
    [
      'deep nesting that closes',
      { 'skill.yaml': `a: ${'['.repeat(20_000)}${']'.repeat(20_000)}`, 'main.py': MAIN },
      ['manifest.yaml', 'skill.yaml', 1],
    ],
    [
      'infinity',
      { 'skill.yaml': 'input_schema:\n  maximum: .inf', 'main.py': MAIN },
      ['manifest.yaml', 'skill.yaml', 2],
    ],
    ['a list', { 'skill.yaml': '- a', 'main.py': MAIN }, ['manifest.not_a_map', 'skill.yaml', 1]],
    ['nothing', { 'skill.yaml': '', 'main.py': MAIN }, ['manifest.not_a_map', 'skill.yaml', 1]],
    [
      'too much',
      { 'skill.yaml': `a: ${'x'.repeat(800_000)}`, 'main.py': MAIN },
      ['manifest.too_large', 'skill.yaml', null],
    ],
    [
      'another encoding',
      { 'skill.yaml': Buffer.from([0x61, 0x3a, 0x20, 0xe4]), 'main.py': MAIN },
      ['manifest.encoding', 'skill.yaml', 1],
    ],
    [
      'no entry',
      { 'skill.yaml': 'name: a\nentry: app.py', 'main.py': MAIN },
      ['manifest.entry_missing', 'skill.yaml', 2],
    ],
    [
      'an entry that is no Python',
      { 'skill.yaml': 'entry: app.sh', 'app.sh': '' },
      ['manifest.entry', 'skill.yaml', 1],
    ],
    [
      'an entry outside',
      { 'spm.yaml': SPM.replace('./dist', '../dist'), 'index.ts': '' },
      ['manifest.entry', 'spm.yaml', 6],
    ],
    ['no source', { 'spm.yaml': SPM }, ['manifest.entry_missing', 'spm.yaml', 6]],
    [
      'a broken package.json',
      { 'spm.yaml': SPM, 'package.json': '{', 'index.ts': '' },
      ['manifest.json', 'package.json', null],
    ],
    ['a name', { 'skill.yaml': 'name: My Skill', 'main.py': MAIN }, ['manifest.name', 'skill.yaml', 1]],
    ['a description', { 'skill.yaml': 'description: [a]', 'main.py': MAIN }, ['manifest.description', 'skill.yaml', 1]],
    [
      'a version that is a number',
      { 'skill.yaml': 'version: 1.0', 'main.py': MAIN },
      ['manifest.version', 'skill.yaml', 1],
    ],
    [
      'a version of two parts',
      { 'skill.yaml': 'version: "1.0"', 'main.py': MAIN },
      ['manifest.version', 'skill.yaml', 1],
    ],
    [
      'a schema that is none',
      { 'skill.yaml': 'input_schema: text', 'main.py': MAIN },
      ['manifest.schema', 'skill.yaml', 1],
    ],
    ['another handler', { 'skill.yaml': 'handler: run', 'main.py': MAIN }, ['manifest.handler', 'skill.yaml', 1]],
    [
      'a Python that there never was',
      { 'skill.yaml': 'runtime: python2.7', 'main.py': MAIN },
      ['manifest.runtime', 'skill.yaml', 1],
    ],
    ['another runtime', { 'skill.yaml': 'runtime: ruby', 'main.py': MAIN }, ['manifest.runtime', 'skill.yaml', 1]],
    [
      'docker',
      { 'spm.yaml': SPM.replace('runtime: node', 'runtime: docker'), 'index.ts': '' },
      ['manifest.runtime', 'spm.yaml', 7],
    ],
    ['a size', { 'skill.yaml': 'size: huge', 'main.py': MAIN }, ['manifest.size', 'skill.yaml', 1]],
    ['a timeout', { 'skill.yaml': 'timeout: 9h', 'main.py': MAIN }, ['manifest.timeout', 'skill.yaml', 1]],
    [
      'a URL for a domain',
      { 'skill.yaml': 'network: ["https://x.org"]', 'main.py': MAIN },
      ['manifest.network', 'skill.yaml', 1],
    ],
    [
      'an address for a domain',
      { 'skill.yaml': 'network: [169.254.169.254]', 'main.py': MAIN },
      ['manifest.network', 'skill.yaml', 1],
    ],
  ])('%s', async (_, files, finding) => {
    const result = await read(files)
    expect(told(result)).toContainEqual(finding)
    expect(result.findings.some(({ severity }) => severity === 'deny')).toBe(true)
  })

  test('all faults of a manifest at once, and still a draft for the scan', async () => {
    const { findings, draft } = await read({
      'skill.yaml': 'name: A B\nverzion: 1\ntimeout: 0\nsize: s',
      'main.py': MAIN,
    })
    expect(findings.map(({ rule, line }) => [rule, line])).toEqual([
      ['manifest.unknown_key', 2],
      ['manifest.name', 1],
      ['manifest.size', 4],
      ['manifest.timeout', 3],
    ])
    expect(findings[0]!.message).toContain('Did you mean "version"?')
    expect(draft).toMatchObject({ format: 'python', name: 'weather' })
  })

  test('missing keys of spm.yaml are told', async () => {
    const { findings } = await read({ 'spm.yaml': 'name: weather\n', 'index.ts': '' })
    expect(findings.every(({ rule, severity }) => rule === 'manifest.missing_key' && severity === 'warn')).toBe(true)
    expect(findings).toHaveLength(7)
  })

  test('__proto__ is a key like any other', async () => {
    const { findings } = await read({
      'skill.yaml': '__proto__: {name: evil}\ninput_schema: {__proto__: {type: x}}',
      'main.py': MAIN,
    })
    expect(told({ findings, draft: null })).toEqual([['manifest.unknown_key', 'skill.yaml', 1]])
    expect({}).not.toHaveProperty('type')
  })

  test('every rule says why and what to do', () => {
    for (const rule of Object.values(MANIFEST_RULES))
      expect(Math.min(rule.why.length, rule.fix.length)).toBeGreaterThan(10)
  })
})
