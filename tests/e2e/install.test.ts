import { chmod, lstat, mkdir, mkdtemp, readFile, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { cli } from '../support/cli.ts'
import { httpServer } from '../support/http-server.ts'
import { TestServer } from './harness.ts'

const skillMd = (name: string, body = 'One.') =>
  `---\nname: ${name}\ndescription: Tells. Use it in tests.\n---\n${body}\n`
const LETTERS = {
  'SKILL.md': skillMd('letters'),
  'scripts/write.py': 'print("Dear")\n',
  'references/long.md': '# Long\n',
}

let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
  await server.deploy('letters', LETTERS, {}, 'prod')
  await server.deploy('guide', { 'SKILL.md': skillMd('guide') }, {}, 'prod')
  await server.deploy(
    'sly',
    { 'SKILL.md': skillMd('sly'), '.claude-plugin/plugin.json': '{"name":"sly"}\n' },
    {},
    'prod',
  )
})
afterAll(() => server.stop())

let cwd: string
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'skillet-install-'))
})
afterEach(() => rm(cwd, { recursive: true, force: true }))

const skillet = (...args: string[]) => cli(args, { cwd, env: { SKILLET_URL: server.url, SKILLET_KEY: server.key } })
async function ok(...args: string[]): Promise<string> {
  const { code, out, err } = await skillet(...args)
  if (code !== 0) throw new Error(`skillet ${args.join(' ')}: ${code} ${out} ${err}`)
  return out
}
const at = (...path: string[]): string => join(cwd, ...path)
const text = (...path: string[]): Promise<string> => readFile(at(...path), 'utf8')
interface Lock {
  lockfile_version: number
  skills: Record<
    string,
    { version: string; digest: string; wanted: string; server: string; files: { path: string }[]; key: { id: string } }
  >
}
const lock = async (): Promise<Lock> => JSON.parse(await text('skillet.lock.json')) as Lock
/** Names below the folder, without what is written while a skill is put there. */
const left = async (...path: string[]): Promise<string[]> => (await readdir(at(...path))).toSorted()

describe('install', () => {
  test('puts what prod serves into .claude/skills, byte for byte, and locks it', async () => {
    expect(await ok('install', 'letters')).toMatch(/letters +1\.0\.0 +installed +\.claude\/skills\/letters/)
    for (const [path, content] of Object.entries(LETTERS)) {
      expect(await text('.claude/skills/letters', path)).toBe(content)
    }
    const { lockfile_version, skills } = await lock()
    expect(lockfile_version).toBe(1)
    const version = await server.ok<{ digest: string }>('GET', '/api/skills/letters/versions/prod')
    expect(skills).toMatchObject({
      '.claude/skills/letters': {
        server: server.url,
        wanted: 'prod',
        version: '1.0.0',
        digest: version.digest,
        key: { id: expect.stringMatching(/^ed25519-/) as string },
      },
    })
    expect(skills['.claude/skills/letters']!.files.map(({ path }) => path)).toEqual(Object.keys(LETTERS).toSorted())
    expect(await text('skillet.lock.json')).not.toContain(server.key)
    expect(await left('.claude/skills')).toEqual(['letters'])
    expect(await ok('install', 'letters')).toContain('current')
  })

  test('takes a version by any of its names, and puts it where it is told to', async () => {
    await server.deploy('letters', { ...LETTERS, 'SKILL.md': skillMd('letters', 'Two.') }, {}, 'dev')
    await ok('install', 'letters', '--to', 'agents', '--version', 'dev')
    expect(await text('.agents/skills/letters/SKILL.md')).toContain('Two.')
    await ok('install', 'letters', '--to', 'vendor/skills', '--version', '1.0.0')
    expect(await text('vendor/skills/letters/SKILL.md')).toContain('One.')
    await ok('install', 'letters', '--version', 'latest')
    expect(await text('.claude/skills/letters/SKILL.md')).toContain('Two.')
    expect(Object.entries((await lock()).skills).map(([path, { wanted }]) => [path, wanted])).toEqual([
      ['.agents/skills/letters', 'dev'],
      ['.claude/skills/letters', 'latest'],
      ['vendor/skills/letters', '1.0.0'],
    ])
    expect(await skillet('install', 'letters', '--version', '9.9.9')).toMatchObject({ code: 5 })
    expect(await skillet('install', 'nothing')).toMatchObject({ code: 5 })
  })

  test('--frozen installs what is locked, changes no lock file, and fails for anything else', async () => {
    expect(await skillet('install', '--frozen')).toMatchObject({
      code: 2,
      err: expect.stringContaining('Nothing is installed') as string,
    })
    await ok('install', 'letters', '--version', '1.0.0')
    await ok('install', 'guide')
    const before = await text('skillet.lock.json')
    await rm(at('.claude'), { recursive: true })
    expect(await ok('install', '--frozen')).toMatch(/guide .*installed[^]*letters .*installed/)
    expect(await text('.claude/skills/letters/SKILL.md')).toBe(LETTERS['SKILL.md'])
    expect(await text('skillet.lock.json')).toBe(before)
    expect(await skillet('install', 'sly', '--frozen')).toMatchObject({ code: 2 })
    expect(await skillet('install', 'letters', '--frozen', '--version', 'latest')).toMatchObject({ code: 2 })
    const other = await lock()
    const { digest } = other.skills['.claude/skills/letters']!
    await writeFile(at('skillet.lock.json'), before.replaceAll(digest, `sha256:${'0'.repeat(64)}`))
    await rm(at('.claude'), { recursive: true })
    const refused = await skillet('install', '--frozen', 'letters')
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('is not what is locked') as string })
    await expect(lstat(at('.claude/skills/letters'))).rejects.toThrow('ENOENT')
  })

  test('what is in the way stays: folders of others, changed files, links', async () => {
    await mkdir(at('.claude/skills/letters'), { recursive: true })
    await writeFile(at('.claude/skills/letters/SKILL.md'), 'mine')
    expect(await skillet('install', 'letters')).toMatchObject({
      code: 1,
      err: expect.stringContaining('not installed by Skillet') as string,
    })
    expect(await text('.claude/skills/letters/SKILL.md')).toBe('mine')
    await ok('install', 'letters', '--force')

    await writeFile(at('.claude/skills/letters/scripts/write.py'), 'mine')
    await writeFile(at('.claude/skills/letters/new.md'), 'mine')
    await rm(at('.claude/skills/letters/references/long.md'))
    const changed = await skillet('install', 'letters', '--version', 'latest')
    expect(changed.code).toBe(1)
    for (const said of ['"scripts/write.py" was changed', '"new.md" was added', '"references/long.md" is missing']) {
      expect(changed.err).toContain(said)
    }
    expect(await text('.claude/skills/letters/scripts/write.py')).toBe('mine')
    await ok('install', 'letters', '--version', 'latest', '--force')
    expect(await left('.claude/skills/letters')).toEqual(['SKILL.md', 'references', 'scripts'])

    await rename(at('.claude/skills'), at('elsewhere'))
    await symlink(at('elsewhere'), at('.claude/skills'))
    expect(await skillet('install', 'guide', '--force')).toMatchObject({
      code: 1,
      err: expect.stringContaining('symbolic link') as string,
    })
    expect(await left('elsewhere')).toEqual(['letters'])
    await rm(at('.claude/skills'))
    await mkdir(at('.claude/skills'))
    await symlink(at('elsewhere'), at('.claude/skills/guide'))
    expect(await skillet('install', 'guide', '--force')).toMatchObject({ code: 1 })
    await symlink('/etc/passwd', at('elsewhere/letters/link'))
    await rename(at('elsewhere/letters'), at('.claude/skills/letters'))
    const linked = await skillet('update', 'letters')
    expect(linked).toMatchObject({ code: 1, err: expect.stringContaining('"link" is a symbolic link') as string })
  })

  test('nothing leads out of the project, neither an option nor a lock file', async () => {
    for (const to of ['..', '../skills', '/tmp', 'a/../..', '.git', '.GIT/hooks']) {
      expect(await skillet('install', 'guide', '--to', to)).toMatchObject({
        code: 2,
        err: expect.stringContaining('is not a folder in') as string,
      })
    }
    await ok('install', 'guide')
    const good = await text('skillet.lock.json')
    for (const path of ['../guide', '/tmp/guide', '.claude/../../guide', '', 'a\\\\b']) {
      await writeFile(at('skillet.lock.json'), good.replace('.claude/skills/guide', path))
      for (const command of [
        ['install', '--frozen', '--force'],
        ['update', '--force'],
        ['uninstall', 'guide', '--force'],
        ['verify'],
      ]) {
        expect([path, command, (await skillet(...command)).code]).toEqual([path, command, 2])
      }
    }
    await writeFile(at('skillet.lock.json'), '{"lockfile_version": 2, "skills": {}}')
    expect(await skillet('install', 'guide')).toMatchObject({
      code: 1,
      err: expect.stringContaining('cannot be used') as string,
    })
  })

  test('what a server or somebody on the way sends instead is not installed', async () => {
    const headers = { authorization: `Bearer ${server.key}` }
    const other = await fetch(`${server.url}/api/skills/guide/versions/prod/archive`, { headers })
    const bytes = Buffer.from(await other.arrayBuffer())
    let lie: 'archive' | 'signature' | 'name' | 'number' | 'path' = 'archive'
    await using liar = await httpServer((asked, answer) => {
      const onward = fetch(new URL(asked.url!, server.url), { headers })
      void onward.then(async (got) => {
        const isArchive = asked.url!.includes('/archive')
        const signature = (lie === 'signature' ? other : got).headers.get('skillet-signature')
        if (isArchive) answer.setHeader('skillet-signature', signature!)
        const body = Buffer.from(await got.arrayBuffer())
        if (isArchive && lie === 'archive') answer.end(bytes)
        else if (lie === 'name' && !isArchive) answer.end(body.toString().replace('"letters"', '"../../letters"'))
        else if (isArchive) answer.end(body)
        else if (lie === 'number') answer.end(body.toString().replaceAll('"1.0.0"', '"9.9.9"'))
        else if (lie === 'path') answer.end(body.toString().replaceAll('"1.0.0"', '"1/../../../x"'))
        else answer.end(body)
      })
    })
    const install = () => cli(['install', 'letters'], { cwd, env: { SKILLET_URL: liar.url, SKILLET_KEY: server.key } })
    expect(await install()).toMatchObject({ code: 1, err: expect.stringContaining('Its files are sha256:') as string })
    lie = 'signature'
    expect(await install()).toMatchObject({ code: 1, err: expect.stringContaining('is not what was signed') as string })
    lie = 'name'
    expect(await install()).toMatchObject({ code: 2, err: expect.stringContaining('is no name of a skill') as string })
    lie = 'number'
    expect(await install()).toMatchObject({
      code: 1,
      err: expect.stringContaining('signed as letters 1.0.0') as string,
    })
    lie = 'path'
    const download = await cli(['version', 'download', 'letters', '1'], {
      cwd: at('.claude/skills'),
      env: { SKILLET_URL: liar.url, SKILLET_KEY: server.key },
    })
    expect(download).toMatchObject({ code: 1, err: expect.stringContaining('no number of a version') as string })
    expect(await left()).toEqual(['.claude'])
    expect(await left('.claude/skills')).toEqual([])
    await expect(lstat(at('skillet.lock.json'))).rejects.toThrow('ENOENT')
  })

  test('a server that sends without end fills no disk', async () => {
    const headers = { authorization: `Bearer ${server.key}` }
    await using endless = await httpServer((asked, answer) => {
      void fetch(new URL(asked.url!, server.url), { headers }).then(async (got) => {
        const body = await got.bytes()
        const signature = got.headers.get('skillet-signature')
        if (signature === null) return answer.end(body)
        answer.setHeader('skillet-signature', signature)
        const more = (): void => {
          while (!answer.destroyed && answer.write(Buffer.alloc(2 ** 20)));
        }
        answer.on('drain', more)
        return more()
      })
    })
    const env = { SKILLET_URL: endless.url, SKILLET_KEY: server.key }
    const { code, err } = await cli(['install', 'letters'], { cwd, env })
    expect([code, err]).toEqual([1, expect.stringMatching(/sent more than \d+ bytes/)])
    expect(await left('.claude/skills')).toEqual([])
  })

  test('a skill that Claude Code would load as a plugin is not installed for it unasked', async () => {
    expect(await skillet('install', 'sly')).toMatchObject({
      code: 1,
      err: expect.stringContaining('as a plugin') as string,
    })
    await ok('install', 'sly', '--to', 'agents')
    await ok('install', 'sly', '--force')
  })

  test('a function is not put where agents would not find it', async () => {
    const main = { 'main.py': 'def handler(input: dict) -> dict:\n    "Adds numbers."\n    return {}\n' }
    await server.deploy('sums', main, {}, 'prod')
    for (const to of ['claude-code', 'agents']) {
      expect(await skillet('install', 'sums', '--to', to)).toMatchObject({
        code: 1,
        err: expect.stringContaining('sums has no SKILL.md') as string,
      })
    }
    expect(await readdir(cwd, { recursive: true })).not.toContain('skillet.lock.json')
    await ok('install', 'sums', '--to', 'tools')
    expect(await text('tools', 'sums', 'main.py')).toBe(main['main.py'])
  })
})

test('update brings what moves on, and leaves what is pinned', async () => {
  await ok('install', 'guide')
  await ok('install', 'guide', '--to', 'agents', '--version', '1.0.0')
  expect(await ok('update')).not.toContain('updated')
  await server.deploy('guide', { 'SKILL.md': skillMd('guide', 'Two.') }, {}, 'prod')
  const { items } = JSON.parse(await ok('update', 'guide', '--json')) as { items: object[] }
  expect(items).toMatchObject([
    { path: '.agents/skills/guide', wanted: '1.0.0', version: '1.0.0', result: 'current' },
    { path: '.claude/skills/guide', wanted: 'prod', before: '1.0.0', version: '2.0.0', result: 'updated' },
  ])
  expect(await text('.claude/skills/guide/SKILL.md')).toContain('Two.')
  expect((await lock()).skills['.claude/skills/guide']!.version).toBe('2.0.0')
  expect(await skillet('update', 'nothing')).toMatchObject({ code: 2 })
  await writeFile(at('.claude/skills/guide/SKILL.md'), 'mine')
  expect(await skillet('update')).toMatchObject({
    code: 1,
    err: expect.stringContaining('"SKILL.md" was changed') as string,
  })
})

const verify = (...args: string[]) => cli(['verify', ...args], { cwd })

test('verify needs no server: files, their digest, and what was signed under which key', async () => {
  await ok('install', 'letters', '--version', '1.0.0')
  expect((await verify()).out).toMatch(
    /^ok +\.claude\/skills\/letters: letters 1\.0\.0, sha256:[0-9a-f]{64}, signed under ed25519-/,
  )
  await writeFile(at('keys.pem'), await ok('signing-key', 'list', '--pem'))
  expect(await verify('--public-key', 'keys.pem')).toMatchObject({ code: 0 })

  await chmod(at('.claude/skills/letters/SKILL.md'), 0o755)
  await writeFile(at('.claude/skills/letters/extra'), '')
  const changed = await verify('--json')
  expect(changed.code).toBe(1)
  expect(JSON.parse(changed.out)).toMatchObject({
    ok: false,
    items: [{ faults: ['"SKILL.md" is executable now', '"extra" was added'] }],
  })
  await ok('install', 'letters', '--version', '1.0.0', '--force')
  expect(await verify()).toMatchObject({ code: 0 })

  // Files and the lock file changed together: the signature is of others.
  const good = await text('skillet.lock.json')
  const forged = JSON.parse(good) as Lock
  const entry = forged.skills['.claude/skills/letters']!
  await writeFile(
    at('skillet.lock.json'),
    JSON.stringify({ ...forged, skills: { '.claude/skills/letters': { ...entry, version: '1.0.1' } } }),
  )
  expect(await verify()).toMatchObject({
    code: 1,
    out: expect.stringContaining('it was signed as letters 1.0.0') as string,
  })
  entry.files.pop()
  await writeFile(at('skillet.lock.json'), JSON.stringify(forged))
  expect(await verify()).toMatchObject({ code: 1, out: expect.stringContaining('do not have the digest') as string })
  await writeFile(at('skillet.lock.json'), good)
  await rm(at('.claude/skills/letters'), { recursive: true })
  expect(await verify()).toMatchObject({ code: 1, out: expect.stringContaining('it is not there') as string })
})

test('uninstall removes what was installed, and nothing else', async () => {
  await ok('install', 'guide')
  await ok('install', 'guide', '--to', 'agents')
  await writeFile(at('.claude/skills/guide/mine.md'), 'mine')
  expect(await skillet('uninstall', 'guide', '--to', 'claude-code')).toMatchObject({
    code: 1,
    err: expect.stringContaining('"mine.md" was added') as string,
  })
  expect(await ok('uninstall', 'guide', '--to', 'agents')).toBe('.agents/skills/guide is removed.\n')
  expect(Object.keys((await lock()).skills)).toEqual(['.claude/skills/guide'])
  await ok('uninstall', 'guide', '--force')
  expect((await lock()).skills).toEqual({})
  expect(await left('.claude/skills')).toEqual([])
  expect((await stat(at('.agents/skills'))).isDirectory()).toBe(true)
  expect(await skillet('uninstall', 'guide')).toMatchObject({ code: 2 })
})
