import Anthropic from 'anthropic-sdk-1.11.0'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
// @ts-expect-error -- An example in plain JavaScript.
import { ask } from '../../examples/claude-tool-use/loop.mjs'
import type { CatalogueEntry } from '../../src/model/catalogue.ts'
import { type Block, type MessagesRequest, startMessagesApi } from '../stand-ins/messages-api.ts'
import { TestServer } from './harness.ts'

const ADD = {
  'skill.yaml': 'name: add\ndescription: Adds two numbers. Use for sums.\n',
  'main.py': [
    'def handler(input: dict) -> dict:',
    '    """Adds two numbers."""',
    '    if input["a"] < 0:',
    '        raise ValueError("no negative numbers")',
    '    return {"sum": input["a"] + input["b"]}',
    '',
  ].join('\n'),
}
const SCHEMA =
  'input_schema:\n  type: object\n  required: [a, b]\n  properties: {a: {type: number}, b: {type: number}}\n'
const GUIDE = {
  'SKILL.md': [
    '---',
    'name: guide',
    'description: Tells how letters are written. Use when somebody writes a letter & more.',
    '---',
    '# Letters',
    'See [the long one](references/long.md).',
    '',
  ].join('\n'),
  'references/long.md': 'abcdefghij'.repeat(100),
}

let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
  await server.deploy('add', { ...ADD, 'skill.yaml': ADD['skill.yaml'] + SCHEMA }, {}, 'prod')
  await server.deploy('guide', GUIDE, {}, 'prod')
  await server.deploy('draft', { ...ADD, 'skill.yaml': 'name: draft\ndescription: Not served yet.\n' }, {}, 'dev')
})
afterAll(() => server.stop())

const call = (block: object, key: string = server.key) =>
  server.call<{ is_error?: boolean; content: { text: string }[]; tool_use_id: string }>(
    'POST',
    '/api/tools/call',
    { type: 'tool_use', ...block },
    { authorization: `Bearer ${key}` },
  )

describe('tools', () => {
  test('what prod serves is what the Messages API takes as tools; another stage can be asked for', async () => {
    const { items } = await server.ok<{ items: { name: string; input_schema: object }[] }>('GET', '/api/tools')
    expect(items.map(({ name }) => name)).toEqual(['guide', 'add'])
    expect(items[1]).toEqual({
      name: 'add',
      description: 'Adds two numbers. Use for sums.',
      input_schema: {
        type: 'object',
        required: ['a', 'b'],
        properties: { a: { type: 'number' }, b: { type: 'number' } },
      },
    })
    const dev = await server.ok<{ items: { name: string }[] }>('GET', '/api/tools?stage=dev')
    expect(dev.items.map(({ name }) => name)).toEqual(['draft'])
  })

  test('a tool_use is run and answered with its tool_result', async () => {
    const { status, body } = await call({ id: 'toolu_1', name: 'add', input: { a: 1, b: 2 } })
    expect({ status, body }).toEqual({
      status: 200,
      body: { type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: '{"sum":3}' }] },
    })
    // The same block again is the same run.
    await call({ id: 'toolu_1', name: 'add', input: { b: 2, a: 1 } })
    const { items } = await server.ok<{ items: object[] }>('GET', '/api/runs?skill=add')
    expect(items).toHaveLength(1)
    // Another call under its id is none.
    const { body: other } = await call({ id: 'toolu_1', name: 'add', input: { a: 2, b: 2 } })
    expect(other).toMatchObject({
      is_error: true,
      content: [{ text: expect.stringContaining('its own id') as string }],
    })
  })

  test('what went wrong is told to the model, with the place where it can be mended', async () => {
    const wrong = await call({ id: 'toolu_2', name: 'add', input: { a: 'one', b: 2 } })
    expect(wrong.body).toMatchObject({ is_error: true, tool_use_id: 'toolu_2' })
    expect(wrong.body.content[0]!.text).toContain('/a')
    const failed = await call({ id: 'toolu_3', name: 'add', input: { a: -1, b: 2 } })
    expect(failed.body.is_error).toBe(true)
    expect(failed.body.content[0]!.text).toContain('no negative numbers')
    expect((await call({ id: 'no spaces', name: 'add', input: {} })).status).toBe(400)
  })

  test('a SKILL.md is a tool that tells what is in it', async () => {
    const { body } = await call({ id: 'toolu_4', name: 'guide', input: {} })
    expect(JSON.parse(body.content[0]!.text)).toMatchObject({ name: 'guide', directory: '/skill' })
  })

  test('a tool that an agent may not use is to it as one that is not there; the audit log knows better', async () => {
    const { key, id } = await server.ok<{ key: string; id: string }>('POST', '/api/keys', { role: 'agent', name: 'a' })
    await server.ok('POST', '/api/grants', { principal: id, allowed_skills: ['guide'] })
    const bearer = { authorization: `Bearer ${key}` }
    const seen = await server.ok<{ items: { name: string }[] }>('GET', '/api/tools', undefined, bearer)
    expect(seen.items.map(({ name }) => name)).toEqual(['guide'])
    const [hidden, absent] = await Promise.all(
      ['add', 'ad0'].map((name) => call({ id: `toolu_${name}`, name, input: { a: 1, b: 2 } }, key)),
    )
    expect(hidden!.body).toMatchObject({ is_error: true })
    expect(hidden!.body.content[0]!.text.replace('add', 'ad0')).toBe(absent!.body.content[0]!.text)
    const { items } = await server.ok<{ items: { detail: object; actor: string }[] }>(
      'GET',
      '/api/audit?action=access.denied',
    )
    expect(items.filter(({ actor }) => actor === id)).toMatchObject([{ outcome: 'denied' }])
  })
})

const use = (id: string, input: object): Block => ({
  type: 'tool_use',
  id: `${id}_${Math.random()}`.replace('.', ''),
  name: 'add',
  input,
})

/** Uses `add` with a wrong input first, then as it was told to. */
function model({ messages }: MessagesRequest): Block[] {
  const last = messages.at(-1)!.content
  if (typeof last === 'string') return [{ type: 'text', text: 'I add. ' }, use('toolu_a', { a: 'four' })]
  const [{ is_error: failed, content }] = last as [{ is_error?: boolean; content: [{ text: string }] }]
  if (failed === true) return [use(`toolu_${messages.length}`, { a: 4, b: 5 })]
  return [{ type: 'text', text: `It is ${(JSON.parse(content[0].text) as { sum: number }).sum}.` }]
}

describe('the loop of the example', () => {
  test.each([false, true])('Claude asks, Skillet runs, until there is an answer; streamed: %s', async (stream) => {
    const api = await startMessagesApi(model)
    try {
      const anthropic = new Anthropic({ apiKey: 'none', baseURL: api.url, maxRetries: 0 })
      const skillet = { url: server.url, key: server.key }
      expect(await ask({ anthropic, skillet, question: 'What is four and five?', stream })).toBe('It is 9.')
      expect(api.requests).toHaveLength(3)
      expect(api.requests.every((request) => (request.stream ?? false) === stream)).toBe(true)
    } finally {
      await api.close()
    }
  })
})

describe('the three levels', () => {
  test('level 1: names, descriptions, and what each level would take', async () => {
    const { items } = await server.ok<{ items: CatalogueEntry[] }>('GET', '/api/catalogue')
    expect(items).toMatchObject([
      { name: 'guide', kind: 'skill-md', version: '1.0.0', files: 2, provided: false },
      { name: 'add', kind: 'python', skill_md: null, frontmatter: null },
    ])
    expect(items[0]!.frontmatter).toMatchObject({ name: 'guide' })
    expect(items[0]!.tokens).toEqual({ metadata: expect.any(Number) as number, body: 13, files: 250 })
    const xml = await server.call<string>('GET', '/api/catalogue.xml')
    expect(xml.headers.get('content-type')).toContain('application/xml')
    expect(xml.body).toContain('<name>\nguide\n</name>')
    expect(xml.body).toContain('writes a letter &amp; more.')
  })

  test('level 2: the instructions; level 3: files, and ranges of them', async () => {
    const guide = await server.ok<{ body: string; contents: { path: string }[] }>('GET', '/api/catalogue/guide')
    expect(guide.body).toContain('# Letters')
    expect(guide.contents.map(({ path }) => path)).toEqual(['SKILL.md', 'references/long.md'])
    const file = '/api/catalogue/guide/file?path=references/long.md'
    expect((await server.call<string>('GET', file)).body).toBe(GUIDE['references/long.md'])
    const part = await server.call<string>('GET', file, undefined, { range: 'bytes=8-11' })
    expect(part).toMatchObject({ status: 206, body: 'ijab' })
    expect(part.headers.get('content-range')).toBe('bytes 8-11/1000')
    expect((await server.call<string>('GET', file, undefined, { range: 'bytes=-3' })).body).toBe('hij')
    expect(await server.call('GET', file, undefined, { range: 'bytes=1000-' })).toMatchObject({
      status: 416,
      body: { code: 'range_not_satisfiable', size: 1000 },
    })
    for (const path of ['../skillet.db', 'references', '__proto__', 'SKILL.md/']) {
      const answer = await server.call('GET', `/api/catalogue/guide/file?path=${encodeURIComponent(path)}`)
      expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } })
    }
  })
})
