import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import tar from 'tar-stream'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { cli } from '../support/cli.ts'
import { httpServer } from '../support/http-server.ts'
import { type Files, TestServer, zipOf } from './harness.ts'

const skillMd = (name: string, body = 'One.') =>
  `---\nname: ${name}\ndescription: Tells. Use it in tests.\n---\n${body}\n`

/** As repositories of skills look: a marketplace with plugins, skills at the top, and things that are none. */
const REPOSITORY: Files = {
  'README.md': '# Skills\n',
  '.claude-plugin/marketplace.json':
    '{"name":"m","owner":{"name":"o"},"plugins":[{"name":"p","source":"./plugins/p"}]}',
  'plugins/p/.claude-plugin/plugin.json': '{"name":"p"}',
  'plugins/p/skills/letters/SKILL.md': skillMd('letters'),
  'plugins/p/skills/letters/scripts/write.py': 'print("Dear")\n',
  'skills/.curated/guide/SKILL.md': skillMd('guide'),
  'skills/.curated/guide/examples/SKILL.md': 'below another: part of it',
  'skills/nameless/SKILL.md': '---\ndescription: Tells.\n---\n',
  'skills/other-folder/SKILL.md': skillMd('wrong-name'),
  'skills/rude/SKILL.md': skillMd('rude'),
  'skills/rude/main.py': 'def handler(:\n',
  'skills/zz/guide/SKILL.md': skillMd('guide', 'Another.'),
  'node_modules/x/SKILL.md': skillMd('x'),
  'a/b/c/d/e/f/g/SKILL.md': skillMd('deep'),
}

let server: TestServer
let cwd: string
beforeAll(async () => {
  server = await TestServer.start()
})
afterAll(() => server.stop())
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'skillet-import-test-'))
})
afterEach(() => rm(cwd, { recursive: true, force: true }))

interface Outcome {
  items: {
    folder: string
    skill: string | null
    result: string
    version: string | null
    error: string | null
    findings: { rule: string }[]
  }[]
  faults: string[]
}
const run = (...args: string[]) =>
  cli(['import', ...args], { cwd, env: { SKILLET_URL: server.url, SKILLET_KEY: server.key } })
async function json(...args: string[]): Promise<Outcome & { code: number }> {
  const { code, out, err } = await run(...args, '--json')
  if (out === '') throw new Error(err)
  return { code, ...(JSON.parse(out) as Outcome) }
}
const results = ({ items }: Outcome) => items.map(({ folder, skill, result }) => [folder, skill, result])

async function folderOf(files: Files): Promise<string> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(cwd, 'repo', dirname(path)), { recursive: true })
    await writeFile(join(cwd, 'repo', path), content)
  }
  return 'repo'
}
const below = (folder: string, files: Files): Files =>
  Object.fromEntries(Object.entries(files).map(([path, content]) => [`${folder}/${path}`, content]))
async function tarOf(files: Files, more: (pack: tar.Pack) => void = () => {}): Promise<Buffer> {
  const pack = tar.pack()
  for (const [name, content] of Object.entries(files)) pack.entry({ name, mode: 0o755 }, content)
  more(pack)
  pack.finalize()
  return gzipSync(await buffer(pack))
}
const serving = (content: Record<string, string | Buffer>) =>
  httpServer((request, response) => {
    const body = content[new URL(request.url!, 'http://x').pathname]
    response.statusCode = body === undefined ? 404 : 200
    response.end(body)
  })

test('every skill of a repository is measured, uploaded and deployed; what is wrong with one stops no other', async () => {
  const repo = await folderOf(REPOSITORY)
  await symlink('/etc', join(cwd, 'repo/skills/linked'))
  const { code, err, out } = await run(repo, '--stage', 'prod')
  expect(out).toMatch(/letters +deployed +1\.0\.0 +plugins\/p\/skills\/letters/)
  expect(out).toContain('2 deployed, 2 invalid, 1 rejected, 1 failed')
  expect(err).toContain('skills/linked is a symbolic link and was not followed')
  expect(err).toContain('a/b/c/d/e/f/g lies too deep')
  expect(code).toBe(1)
  const { items } = await server.ok<{ items: { name: string }[] }>('GET', '/api/catalogue')
  expect(items.map(({ name }) => name).toSorted()).toEqual(['guide', 'letters'])

  const again = await json(repo, '--stage', 'prod')
  expect(results(again)).toEqual([
    ['plugins/p/skills/letters', 'letters', 'unchanged'],
    ['skills/.curated/guide', 'guide', 'unchanged'],
    ['skills/nameless', null, 'invalid'],
    ['skills/other-folder', null, 'invalid'],
    ['skills/rude', 'rude', 'rejected'],
    ['skills/zz/guide', 'guide', 'failed'],
  ])
  expect(again.items[2]!.findings.map(({ rule }) => rule)).toEqual(['skill_md.no_name'])
  expect(again.items[4]!.findings.map(({ rule }) => rule)).toContain('python.syntax')
  expect(again.items[5]!.error).toContain('skills/.curated/guide')
})

test('--dry-run needs no server, and a profile is whose demands are measured by', async () => {
  await folderOf({ 'claude-notes/SKILL.md': skillMd('claude-notes'), 'guide/SKILL.md': skillMd('guide') })
  const offline = (...args: string[]) => cli(['import', 'repo', '--dry-run', '--json', ...args], { cwd })
  const plain = await offline()
  expect(plain.code).toBe(0)
  expect(results(JSON.parse(plain.out) as Outcome)).toEqual([
    ['claude-notes', 'claude-notes', 'valid'],
    ['guide', 'guide', 'valid'],
  ])
  const strict = await offline('--profile', 'claude-api')
  expect(strict.code).toBe(6)
  expect(results(JSON.parse(strict.out) as Outcome)[0]).toEqual(['claude-notes', null, 'invalid'])
  expect(await run('nowhere', '--dry-run')).toMatchObject({ code: 2 })
  await rm(join(cwd, 'repo'), { recursive: true })
  await mkdir(join(cwd, 'repo'))
  expect(await run('repo', '--dry-run')).toMatchObject({
    code: 1,
    err: expect.stringContaining('There is no skill in it') as string,
  })
})

test('a zip and a tar.gz of a repository, from disk and from a URL', async () => {
  const files = { 'a/SKILL.md': skillMd('a'), 'deep/b/SKILL.md': skillMd('b'), 'deep/b/run.sh': '#!/bin/sh\n' }
  const zip = await zipOf(below('repo-main', files))
  const tgz = await tarOf(below('repo-main', files), (pack) => {
    pack.entry({ name: 'repo-main/link', type: 'symlink', linkname: '/etc/passwd' })
  })
  await writeFile(join(cwd, 'repo.zip'), zip)
  await writeFile(join(cwd, 'repo.tar.gz'), tgz)
  await using site = await serving({ '/x/repo.zip': zip, '/archive': tgz })
  for (const source of ['repo.zip', 'repo.tar.gz', `${site.url}/x/repo.zip`, `${site.url}/archive`]) {
    const found = await json(source, '--dry-run')
    expect([source, ...results(found)]).toEqual([
      source,
      ['repo-main/a', 'a', 'valid'],
      ['repo-main/deep/b', 'b', 'valid'],
    ])
    expect(found.code).toBe(/zip/.test(source) ? 0 : 1)
    expect(found.faults.length).toBe(/zip/.test(source) ? 0 : 1)
  }
  expect(await json('repo.zip')).toMatchObject({ items: [{ result: 'deployed' }, { result: 'deployed' }] })
})

test('hostile archives write nothing outside', async () => {
  for (const name of ['../out/SKILL.md', '/tmp/out/SKILL.md', 'a\\..\\b', 'a//b', 'a/\u001b[2J']) {
    await writeFile(join(cwd, 'bad.tar.gz'), await tarOf({ [name]: 'x' }))
    expect([name, (await run('bad.tar.gz', '--dry-run')).code]).toEqual([name, 1])
  }
  await writeFile(
    join(cwd, 'twice.tar.gz'),
    await tarOf({ 'a/SKILL.md': 'x' }, (pack) => void pack.entry({ name: 'a/SKILL.md' }, 'y')),
  )
  expect(await run('twice.tar.gz', '--dry-run')).toMatchObject({
    code: 1,
    err: expect.stringContaining('twice') as string,
  })
  await writeFile(join(cwd, 'cut.tar.gz'), (await tarOf({ 'a/SKILL.md': 'x'.repeat(5000) })).subarray(0, 60))
  expect(await run('cut.tar.gz', '--dry-run')).toMatchObject({ code: 1 })
  await writeFile(join(cwd, 'none.bin'), 'neither')
  expect(await run('none.bin', '--dry-run')).toMatchObject({
    code: 1,
    err: expect.stringContaining('neither a zip nor') as string,
  })
})

const digest = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

test('a site that lists its skills: by its address or that of the index, with digests checked', async () => {
  const single = Buffer.from(skillMd('single'))
  const packed = await zipOf({ 'SKILL.md': skillMd('packed'), 'references/x.md': 'x' })
  const skills = [
    { name: 'single', type: 'skill-md', description: 'd', url: 'single/SKILL.md', digest: digest(single) },
    { name: 'packed', type: 'archive', description: 'd', url: '/files/packed.zip', digest: digest(packed) },
    { name: 'forged', type: 'skill-md', description: 'd', url: 'single/SKILL.md', digest: digest(packed) },
    { name: 'gone', type: 'skill-md', description: 'd', url: 'gone', digest: digest(packed) },
    { name: 'strange', type: 'mcp-resource-template', description: 'd', url: 'x', digest: digest(packed) },
  ]
  const index = JSON.stringify({ $schema: 'https://schemas.agentskills.io/discovery/0.2.0/schema.json', skills })
  await using site = await serving({
    '/team/.well-known/agent-skills/index.json': index,
    '/team/.well-known/agent-skills/single/SKILL.md': single,
    '/files/packed.zip': packed,
    '/page': '<html></html>',
  })
  for (const path of ['/team', '/team/', '/team/.well-known/agent-skills/index.json']) {
    const found = await json(site.url + path, '--dry-run')
    expect(results(found)).toEqual([
      ['packed', 'packed', 'valid'],
      ['single', 'single', 'valid'],
    ])
    expect(found.faults.map((fault) => fault.split(':')[0])).toEqual(['forged', 'gone', 'strange'])
    expect(found.code).toBe(1)
  }
  expect(await run(`${site.url}/page`, '--dry-run')).toMatchObject({
    code: 1,
    err: expect.stringContaining('There are no skills at') as string,
  })
  expect(await run('https://', '--dry-run')).toMatchObject({
    code: 2,
    err: expect.stringContaining('is no URL') as string,
  })
  expect(await run('http://192.0.2.1/x.zip', '--dry-run')).toMatchObject({
    code: 1,
    err: expect.stringContaining('https') as string,
  })
})

test('what one server serves through a link, another takes in whole', async () => {
  await server.deploy('shared', { 'SKILL.md': skillMd('shared'), 'scripts/a.py': 'print(1)\n' }, {}, 'prod')
  const { url } = await server.ok<{ url: string }>('POST', '/api/links', { name: 'x', skills: ['shared'] })
  const found = await json(url, '--stage', 'staging')
  expect(results(found)).toEqual([['shared', 'shared', 'deployed']])
  const digests = await Promise.all(
    ['prod', 'staging'].map(
      async (stage) => (await server.ok<{ digest: string }>('GET', `/api/skills/shared/versions/${stage}`)).digest,
    ),
  )
  expect(digests[0]).toBe(digests[1])
})
