import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cli, type CliResult } from '../../tests/support/cli.ts'
import { hostileZip } from '../packages/zip/hostile-zip.ts'

let cwd: string
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'skillet-validate-test-'))
})
afterEach(() => rm(cwd, { recursive: true, force: true }))

const GOOD = '---\nname: weather\ndescription: Tells the weather. Use when asked about it.\n---\n# Weather\n'
const SLIPS = GOOD.replace('weather\n', 'Weather_Now\n').replace('---\n#', 'colour: red\n---\n#')

async function put(files: Record<string, string | Uint8Array>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(cwd, path)), { recursive: true })
    await writeFile(join(cwd, path), content)
  }
}
const run = (...args: string[]): Promise<CliResult> => cli(['validate', ...args], { cwd })

describe('without any server', () => {
  test('a folder, its SKILL.md, and the folder that one is in', async () => {
    await put({ 'weather/SKILL.md': GOOD })
    const said = {
      code: 0,
      err: '',
      out: expect.stringMatching(/^Accepted: .* by profile spec \(0 denied, 0 warnings\)\n$/),
    }
    expect(await run('weather')).toEqual(said)
    expect(await run('weather/SKILL.md')).toEqual(said)
    expect(await cli(['validate'], { cwd: join(cwd, 'weather') })).toEqual(said)
  })

  test('place, rule, line, mark and remedy of each finding', async () => {
    await put({ 'weather/SKILL.md': SLIPS })
    const { code, out } = await run('weather')
    expect(code).toBe(6)
    expect(out).toContain(
      [
        'denied   SKILL.md:2:7  The name "Weather_Now" must be lowercase.  skill_md.name',
        '       2 | name: Weather_Now',
        '         |       ^',
        '         Use 1 to 64 lower-case letters, digits and single hyphens.',
        '',
      ].join('\n'),
    )
    expect(out).toMatch(/Rejected: weather by profile spec \(4 denied, 0 warnings\)\n$/)
    expect((await run('weather', '--profile', 'claude-code')).code).toBe(0)
  })

  test('a zip, with the folder in it or without', async () => {
    await put({
      'good.zip': hostileZip([{ name: 'weather/SKILL.md', data: GOOD }]),
      'flat.zip': hostileZip([{ name: 'SKILL.md', data: GOOD }]),
      'other.zip': hostileZip([{ name: 'forecast/SKILL.md', data: GOOD }]),
      'evil.zip': hostileZip([{ name: '../SKILL.md', data: GOOD }]),
    })
    expect((await run('good.zip')).code).toBe(0)
    expect((await run('flat.zip')).code).toBe(0)
    expect(await run('other.zip')).toMatchObject({ code: 6, out: expect.stringContaining("folder name 'forecast'") })
    expect(await run('evil.zip')).toMatchObject({ code: 6, out: expect.stringContaining('zip.traversal') })
    const left = (await readdir(tmpdir())).filter(
      (name) => name.startsWith('skillet-validate-') && !basename(cwd).startsWith(name),
    )
    expect(left.filter((name) => !name.startsWith('skillet-validate-test-'))).toEqual([])
  })

  test('code is for the server, unless a profile is named', async () => {
    await put({ 'weather/SKILL.md': GOOD, 'weather/main.py': 'print(1)\n' })
    expect(await run('weather')).toMatchObject({ code: 3, err: expect.stringContaining('skillet serve') })
    expect((await run('weather', '--profile', 'mcp')).code).toBe(0)
  })

  test('what is plainly no skill is sent to no server', async () => {
    await put({ 'skills/weather/SKILL.md': GOOD })
    expect(await run('skills')).toMatchObject({ code: 6, err: expect.stringContaining('skills is no skill') })
    expect((await run('skills', '--profile', 'spec')).out).toContain('"weather/SKILL.md" is not at the root')
  })
})

describe('formats', () => {
  test('JSON, by either option', async () => {
    await put({ 'weather/SKILL.md': SLIPS })
    const { code, out } = await run('weather', '--format', 'json', '--profile', 'mcp')
    expect(code).toBe(6)
    expect(JSON.parse(out)).toEqual({
      path: 'weather',
      profile: 'mcp',
      valid: false,
      written: false,
      fixes: [],
      findings: expect.arrayContaining([
        {
          rule: 'skill_md.name',
          severity: 'deny',
          message: 'The name "Weather_Now" must be lowercase.',
          file: 'SKILL.md',
          line: 2,
          column: 7,
          fix: expect.any(String),
        },
      ]),
    })
    expect((await run('weather', '--profile', 'mcp', '--json')).out).toBe(out)
  })

  test('SARIF', async () => {
    await put({ 'my skills/weather/SKILL.md': SLIPS })
    const { code, out } = await run('my skills/weather', '--format', 'sarif')
    expect(code).toBe(6)
    const log = JSON.parse(out) as Sarif
    expect(Object.keys(log).toSorted()).toEqual(['$schema', 'runs', 'version'])
    expect(log.version).toBe('2.1.0')
    const [{ tool, results, columnKind }] = log.runs
    expect(columnKind).toBe('utf16CodeUnits')
    expect(tool.driver).toMatchObject({ name: 'skillet', semanticVersion: expect.stringMatching(/^\d+\.\d+\.\d+/) })
    for (const { ruleId, ruleIndex, level, message, locations } of results) {
      expect(tool.driver.rules[ruleIndex]).toMatchObject({ id: ruleId, shortDescription: { text: expect.any(String) } })
      expect([level, message.text.length > 0]).toEqual(['error', true])
      const { artifactLocation, region } = locations[0]!.physicalLocation
      expect(artifactLocation.uri).toBe('my%20skills/weather/SKILL.md')
      expect(region!.startLine).toBeGreaterThan(0)
      expect(region!.startColumn).toBeGreaterThan(0)
    }
    expect(results.map(({ ruleId }) => ruleId)).toContain('skill_md.unknown_key')
    // Elsewhere than here it is told by its full address.
    const away = await cli(['validate', join(cwd, 'my skills/weather'), '--format', 'sarif'], { cwd: '/usr' })
    expect(
      (JSON.parse(away.out) as Sarif).runs[0].results[0]!.locations[0]!.physicalLocation.artifactLocation.uri,
    ).toMatch(/^file:\/\/\/.*my%20skills\/weather\/SKILL\.md$/)
  })

  test('what strangers wrote controls no terminal', async () => {
    const evil = `---\nname: weather\n"key\\e[31m\u202E": "\u001B[2J\u009B31m"\ndescription: Tells. Use when asked of the.\n---\n[a](\u001B]0;x\u0007.md)\n`
    await put({ 'weather/SKILL.md': evil })
    for (const format of ['text', 'json', 'sarif']) {
      const { out } = await run('weather', '--format', format)
      expect(out).toMatch(/u\{?(?:001)?b/)
      // oxlint-disable-next-line no-control-regex -- they are what is looked for
      expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
      if (format !== 'text') JSON.parse(out)
    }
  })
})

interface Sarif {
  version: string
  runs: [
    {
      columnKind: string
      tool: { driver: { rules: object[] } }
      results: {
        ruleId: string
        ruleIndex: number
        level: string
        message: { text: string }
        locations: {
          physicalLocation: {
            artifactLocation: { uri: string }
            region?: { startLine: number; startColumn: number }
          }
        }[]
      }[]
    },
  ]
}

describe('--fix', () => {
  test('tells first, then writes, and keeps rights and neighbours', async () => {
    await put({ 'weather-now/SKILL.md': SLIPS.replace('colour: red\n', ''), 'weather-now/notes.txt': 'a\r\nb  ' })
    await chmod(join(cwd, 'weather-now/SKILL.md'), 0o640)
    const told = await run('weather-now', '--fix', '--dry-run')
    expect(told).toMatchObject({
      code: 0,
      out: expect.stringContaining('would be SKILL.md:2  the name "Weather_Now" becomes'),
    })
    const file = join(cwd, 'weather-now/SKILL.md')
    expect(await readFile(file, 'utf8')).toContain('Weather_Now')
    const { code, out } = await run('weather-now', '--fix', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      valid: true,
      written: true,
      fixes: [{ file: 'SKILL.md', line: 2, what: 'the name "Weather_Now" becomes "weather-now"' }],
    })
    expect(await readFile(file, 'utf8')).toBe(GOOD.replace('weather\n', 'weather-now\n'))
    expect((await stat(file)).mode & 0o777).toBe(0o640)
    expect(await readFile(join(cwd, 'weather-now/notes.txt'), 'utf8')).toBe('a\r\nb  ')
    expect((await readdir(join(cwd, 'weather-now'))).toSorted()).toEqual(['SKILL.md', 'notes.txt'])
  })

  test('what it cannot mend is still refused', async () => {
    await put({ 'weather-now/SKILL.md': SLIPS })
    expect(await run('weather-now', '--fix')).toMatchObject({
      code: 6,
      out: expect.stringContaining('skill_md.unknown_key'),
    })
  })

  test('a file that nothing is wrong with is not written', async () => {
    await put({ 'weather/SKILL.md': GOOD })
    const before = await stat(join(cwd, 'weather/SKILL.md'), { bigint: true })
    expect((await run('weather', '--fix')).code).toBe(0)
    const after = await stat(join(cwd, 'weather/SKILL.md'), { bigint: true })
    expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs])
  })

  test.each([
    [['weather', '--dry-run'], '--dry-run says what --fix would do'],
    [['weather', '--fix', '--stage', 'dev'], 'Leave out the ones or the others'],
    [['weather', '--profile', 'nobody'], 'Allowed choices are spec'],
    [['a.zip', '--fix'], 'is an archive'],
    [['b.bin'], 'neither a folder nor'],
    [['nowhere'], 'cannot be read'],
  ])('wrong usage ends with 2: %j', async (args, said) => {
    await put({ 'weather/SKILL.md': GOOD, 'a.zip': hostileZip([{ name: 'SKILL.md', data: GOOD }]), 'b.bin': 'x' })
    const { code, err, out } = await run(...args)
    expect(err).toContain(said)
    expect([code, out]).toEqual([2, ''])
  })
})
