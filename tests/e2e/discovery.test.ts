import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import yauzl from 'yauzl'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RequestLogEntry } from '../../src/server.ts'
import { buffer } from 'node:stream/consumers'
import { type Problem, TestServer } from './harness.ts'

const GUIDE = '---\nname: guide\ndescription: Tells how letters are written. Use for letters.\n---\n# Letters\n'
const LETTERS = {
  'SKILL.md':
    '---\nname: letters\ndescription: Writes letters. Use when one is asked for.\nlicense: MIT\n---\n# Run scripts/write.py\n',
  'scripts/write.py': 'print("Dear")\n',
  'hooks/hooks.json': '{}\n',
}
const ADD = {
  'skill.yaml': 'name: add\ndescription: Adds.\n',
  'main.py': 'def handler(input: dict) -> dict:\n    return {}\n',
}

interface Link {
  readonly id: string
  readonly token: string
  readonly url: string
}
interface Index {
  readonly $schema?: string
  readonly skills: { name: string; type: string; url: string; digest: string; description: string; files?: string[] }[]
}

const log: RequestLogEntry[] = []
let server: TestServer
beforeAll(async () => {
  server = await TestServer.start({ requestLog: (entry) => void log.push(entry) })
  await server.deploy('guide', { 'SKILL.md': GUIDE }, {}, 'prod')
  await server.deploy('letters', LETTERS, {}, 'prod')
  await server.deploy('add', ADD, {}, 'prod')
  await server.deploy('draft', { 'SKILL.md': GUIDE.replace('guide', 'draft') }, {}, 'dev')
})
afterAll(() => server.stop())

const newLink = (body: object = {}): Promise<Link> =>
  server.ok<Link>('POST', '/api/links', { name: 'of a test', ...body })
const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const INDEX = '/.well-known/agent-skills/index.json'
const indexOf = async (base: string, path: string = INDEX): Promise<Index> =>
  (await (await fetch(base + path)).json()) as Index

async function unzipped(bytes: Uint8Array): Promise<Record<string, string>> {
  const zip = await yauzl.fromBufferPromise(Buffer.from(bytes))
  const files: Record<string, string> = {}
  for await (const entry of zip.eachEntry()) {
    files[entry.fileName] = String(await buffer(await zip.openReadStreamPromise(entry)))
  }
  return files
}

describe('links', () => {
  test('the index has the skills with a SKILL.md that prod serves, and the bytes have the digests that it says', async () => {
    const { url } = await newLink()
    const index = await indexOf(url)
    expect(index.$schema).toBe('https://schemas.agentskills.io/discovery/0.2.0/schema.json')
    expect(index.skills.map(({ name, type }) => [name, type])).toEqual([
      ['letters', 'archive'],
      ['guide', 'skill-md'],
    ])
    const [letters, guide] = index.skills as [Index['skills'][0], Index['skills'][0]]
    const single = await fetch(new URL(guide.url, url + INDEX))
    expect(single.headers.get('content-type')).toContain('text/markdown')
    expect(await single.text()).toBe(GUIDE)
    expect(guide).toMatchObject({
      digest: `sha256:${sha256(GUIDE)}`,
      description: expect.stringContaining('letters') as string,
    })
    const zip = await fetch(new URL(letters.url, url + INDEX))
    const bytes = new Uint8Array(await zip.arrayBuffer())
    expect(`sha256:${sha256(bytes)}`).toBe(letters.digest)
    expect(await unzipped(bytes)).toEqual(LETTERS)
    expect(zip.headers.get('content-type')).toBe('application/zip')
    expect(zip.headers.get('cache-control')).toBe('private, max-age=31536000, immutable')
  })

  test('what is known already is not sent again; HEAD tells what GET would send', async () => {
    const { url } = await newLink()
    const index = await fetch(url + INDEX)
    expect(index.headers.get('cache-control')).toBe('private, no-cache')
    const known = { headers: { 'if-none-match': `"x", ${index.headers.get('etag')}` } }
    expect((await fetch(url + INDEX, known)).status).toBe(304)
    const { skills } = (await index.json()) as Index
    for (const { url: path } of skills) {
      const artifact = new URL(path, url + INDEX)
      const [head, got] = await Promise.all([fetch(artifact, { method: 'HEAD' }), fetch(artifact)])
      expect(head.status).toBe(200)
      const body = await got.arrayBuffer()
      for (const name of ['etag', 'content-type', 'content-length', 'cache-control']) {
        expect([name, head.headers.get(name)]).toEqual([name, got.headers.get(name)])
      }
      expect(head.headers.get('content-length')).toBe(String(body.byteLength))
      const etag = { headers: { 'if-none-match': got.headers.get('etag')! } }
      expect((await fetch(artifact, etag)).status).toBe(304)
    }
  })

  test('older clients find files by their names', async () => {
    const { url } = await newLink()
    const { $schema, skills } = await indexOf(url, '/.well-known/skills/index.json')
    expect($schema).toBeUndefined()
    expect(skills).toMatchObject([
      { name: 'letters', files: ['SKILL.md', 'hooks/hooks.json', 'scripts/write.py'] },
      { name: 'guide', files: ['SKILL.md'] },
    ])
    for (const [path, content] of Object.entries(LETTERS)) {
      expect(await (await fetch(`${url}/.well-known/skills/letters/${path}`)).text()).toBe(content)
    }
    for (const path of ['letters/../guide', 'letters/scripts', 'letters/%2e%2e/x', 'add/main.py', 'none/SKILL.md']) {
      expect((await fetch(`${url}/.well-known/skills/${path}`)).status).toBe(404)
    }
  })

  test('a skill.md in small letters is found as SKILL.md, which it is in no other archive', async () => {
    const files = { 'skill.md': GUIDE.replace('guide', 'small'), 'a.md': 'x' }
    await server.deploy('small', files, {}, 'staging')
    const { url } = await newLink({ stage: 'staging' })
    const { skills } = await indexOf(url)
    const zip = await fetch(new URL(skills[0]!.url, url + INDEX))
    const expected = { 'SKILL.md': files['skill.md'], 'a.md': 'x' }
    expect(await unzipped(new Uint8Array(await zip.arrayBuffer()))).toEqual(expected)
    expect(await (await fetch(`${url}/.well-known/agent-skills/small/SKILL.md`)).text()).toBe(files['skill.md'])
    expect((await indexOf(url, '/.well-known/skills/index.json')).skills[0]!.files).toEqual(['SKILL.md', 'a.md'])
    const whole = await fetch(`${server.url}/api/skills/small/versions/latest/archive`, {
      headers: { authorization: `Bearer ${server.key}` },
    })
    const names = Object.keys(await unzipped(new Uint8Array(await whole.arrayBuffer())))
    expect(names).toEqual(['small/a.md', 'small/skill.md'])
  })

  test('who guesses is made to wait, and nobody else', async () => {
    const strict = await TestServer.start({ failureLimit: { perSecond: 0.001, burst: 3 } })
    try {
      const { url } = await strict.ok<Link>('POST', '/api/links', { name: 'x' })
      expect((await fetch(url + INDEX)).status).toBe(200)
      const guess = async (n: number) =>
        (await fetch(`${strict.url}/t/lk_${String(n).padStart(43, '0')}${INDEX}`)).status
      expect([await guess(1), await guess(2), await guess(3), await guess(4), await guess(5)]).toEqual([
        404, 404, 404, 429, 429,
      ])
      expect((await fetch(url + INDEX)).status).toBe(200)
    } finally {
      await strict.stop()
    }
  })

  test('a link is for the skills and the stage that it names, and for nothing else', async () => {
    const dev = await newLink({ stage: 'dev' })
    expect((await indexOf(dev.url)).skills.map(({ name }) => name)).toEqual(['draft'])
    const one = await newLink({ skills: ['guide'] })
    expect((await indexOf(one.url)).skills.map(({ name }) => name)).toEqual(['guide'])
    expect((await fetch(`${one.url}/.well-known/agent-skills/letters/SKILL.md`)).status).toBe(404)
    expect((await fetch(`${one.url}/.well-known/agent-skills/add/SKILL.md`)).status).toBe(404)
    const bearer = { authorization: `Bearer ${one.token}` }
    for (const path of ['/api/whoami', '/api/catalogue', '/api/skills', '/api/tools', '/v1/skills']) {
      expect([path, (await server.call('GET', path, undefined, bearer)).status]).toEqual([path, 403])
    }
  })

  test('one that is revoked, expired or made up leads nowhere, all in the same words', async () => {
    const { id, url, token } = await newLink()
    await fetch(url + INDEX)
    await server.ok('DELETE', `/api/links/${id}`)
    const made = `${server.url}/t/${token.slice(0, -1)}${token.endsWith('a') ? 'b' : 'a'}`
    const answers = await Promise.all([url, made, `${server.url}/t/x%20y`].map(async (one) => fetch(one + INDEX)))
    const told = await Promise.all(answers.map(async (one) => (await one.json()) as Problem))
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404])
    expect(new Set(told.map(({ detail }) => detail)).size).toBe(1)
    expect(answers.map((one) => one.headers.get('www-authenticate'))).toEqual([null, null, null])
    const until = await newLink({ expires_at: new Date(Date.now() + 300).toISOString() })
    await expect.poll(async () => (await fetch(until.url + INDEX)).status).toBe(404)
  })

  test('what is served is new at the next look, and what was fetched by its digest is gone then', async () => {
    const { url } = await newLink({ skills: ['guide'] })
    const before = (await indexOf(url)).skills[0]!
    await server.deploy('guide', { 'SKILL.md': `${GUIDE}More.\n` }, {}, 'prod')
    const after = (await indexOf(url)).skills[0]!
    expect(after.digest).toBe(`sha256:${sha256(`${GUIDE}More.\n`)}`)
    expect((await fetch(new URL(before.url, url + INDEX))).status).toBe(404)
    await server.deploy('guide', { 'SKILL.md': GUIDE }, {}, 'prod')
    expect((await indexOf(url)).skills[0]!.digest).toBe(before.digest)
  })

  test('tokens are in no log, no audit and no list; the links that were used say when', async () => {
    const { id, url, token } = await newLink({ name: 'secret' })
    await fetch(url + INDEX)
    await fetch(`${url}/nothing/here`)
    await server.call('GET', '/api/whoami', undefined, { authorization: `Bearer ${token}` })
    await server.call('GET', `/api/skills/${token}`)
    await server.call('GET', `/api/links/${token}`)
    await server.ok('DELETE', `/api/links/${id}`)
    await fetch(url + INDEX)
    await expect.poll(() => log.filter(({ principal }) => principal === id).length).toBeGreaterThan(1)
    expect(log.find(({ principal }) => principal === id)).toMatchObject({
      route: '/t/{token}/.well-known/agent-skills/{index}',
    })
    expect(JSON.stringify(log)).not.toContain(token)
    const audit = await server.ok<{ items: object[] }>('GET', '/api/audit?limit=200')
    expect(JSON.stringify(audit)).not.toContain(token)
    expect(audit.items).toContainEqual(expect.objectContaining({ action: 'link.revoke', target: id }))
    const list = await server.ok<{ items: { id: string; prefix: string }[] }>('GET', '/api/links')
    expect(JSON.stringify(list)).not.toContain(token)
    expect(list.items.find((one) => one.id === id)).toMatchObject({ prefix: token.slice(0, 11) })
    expect(await (await fetch(`${url}/nothing/here`)).text()).not.toContain(token)
    expect(JSON.stringify(await server.call('GET', `/api/skills/${token}`))).not.toContain(token)
    expect((await readFile(`${server.dataDir}/skillet.db`)).includes(token)).toBe(false)
  })
})

describe('a marketplace of Claude Code', () => {
  interface Marketplace {
    name: string
    plugins: {
      name: string
      version: string
      license?: string
      source: { source: string; url: string; sha256: string }
    }[]
  }

  test('each skill is a plugin in an archive with its digest; what it has in hooks/ is no hook', async () => {
    const { url } = await newLink()
    const found = (await (await fetch(`${url}/.claude-plugin/marketplace.json`)).json()) as Marketplace
    expect(await (await fetch(`${url}/marketplace.json`)).json()).toEqual(found)
    expect(found).toMatchObject({ name: 'skillet-default', owner: { name: 'default' } })
    expect(found.plugins.map(({ name }) => name)).toEqual(['letters', 'guide'])
    const [{ source, version, license }] = found.plugins as [Marketplace['plugins'][0]]
    expect({ version, license, source: source.source }).toEqual({ version: '1.0.0', license: 'MIT', source: 'archive' })
    const bytes = new Uint8Array(await (await fetch(source.url)).arrayBuffer())
    expect(sha256(bytes)).toBe(source.sha256)
    const { '.claude-plugin/plugin.json': manifest, ...files } = await unzipped(bytes)
    expect(JSON.parse(manifest!)).toEqual({
      name: 'letters',
      description: 'Writes letters. Use when one is asked for.',
    })
    const inside = Object.entries(LETTERS).map(([path, content]) => [`skills/letters/${path}`, content])
    expect(files).toEqual(Object.fromEntries(inside))
  })

  test('with a key it needs no link, and its archives take the same key', async () => {
    const found = await server.ok<Marketplace>('GET', '/marketplace.json')
    const { url, sha256: digest } = found.plugins[0]!.source
    expect((await fetch(url)).status).toBe(401)
    const got = await fetch(url, { headers: { authorization: `Bearer ${server.key}` } })
    expect(sha256(new Uint8Array(await got.arrayBuffer()))).toBe(digest)
    expect((await fetch(`${server.url}/marketplace.json`)).status).toBe(401)
  })
})

test('at the root is what operators made public, and nothing else', async () => {
  expect((await indexOf(server.url)).skills).toEqual([])
  expect((await fetch(`${server.url}/.well-known/agent-skills/guide/SKILL.md`)).status).toBe(404)
  const operator = { authorization: `Bearer ${server.operatorKey}` }
  const { tenant } = await server.ok<{ tenant: string }>('GET', '/api/whoami')
  const audience = (value: string) => server.ok('PATCH', `/api/tenants/${tenant}`, { audience: value }, operator)
  await audience('server')
  expect((await indexOf(server.url)).skills).toEqual([])
  await audience('public')
  const { skills } = await indexOf(server.url)
  expect(skills.map(({ name }) => name)).toEqual(['letters', 'guide'])
  const got = await fetch(new URL(skills[0]!.url, server.url + INDEX))
  expect(got.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
  expect(`sha256:${sha256(new Uint8Array(await got.arrayBuffer()))}`).toBe(skills[0]!.digest)
  await audience('tenant')
  expect((await indexOf(server.url)).skills).toEqual([])
})
