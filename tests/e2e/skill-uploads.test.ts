import { afterAll, beforeAll, expect, test } from 'vitest'
import { TestServer } from './harness.ts'
import { skillFiles } from './skill-clients.ts'

let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
})
afterAll(() => server.stop())

const SKILL_MD = skillFiles('tale')['SKILL.md']!.toString()
const part = (filename: string, content: string): string =>
  `--edge\r\nContent-Disposition: form-data; name="files[]"; filename="${filename}"\r\n\r\n${content}\r\n`
const END = '--edge--\r\n'

interface ClaudeError {
  readonly type: string
  readonly error: { readonly type: string; readonly message: string; readonly details: Record<string, unknown> }
}

function post(body: string | ReadableStream<Uint8Array>, signal?: AbortSignal): Promise<Response> {
  const headers = { 'x-api-key': server.key, 'content-type': 'multipart/form-data; boundary=edge' }
  const options: RequestInit & { duplex: 'half' } = {
    method: 'POST',
    headers,
    body,
    duplex: 'half',
    signal: signal ?? null,
  }
  return fetch(new URL('/v1/skills', server.url), options)
}

const skills = async (): Promise<unknown[]> => {
  const answer = await fetch(new URL('/v1/skills', server.url), { headers: { 'x-api-key': server.key } })
  return ((await answer.json()) as { data: unknown[] }).data
}

test('a path that is there twice is refused, with the file and what to do', async () => {
  const answer = await post(part('tale/SKILL.md', SKILL_MD) + part('tale/a', 'x') + part('tale/a', 'y') + END)
  const { error } = (await answer.json()) as ClaudeError
  expect([answer.status, error.message]).toEqual([
    400,
    expect.stringMatching(/^tale\/a: "tale\/a" is there twice\. \S/),
  ])
  expect(error.details).toMatchObject({ findings: [{ rule: 'zip.duplicate', file: 'tale/a' }] })
})

test('more than may be sent is refused while it is sent', async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const answer = post(readable)
  const writer = writable.getWriter()
  const written = (async () => {
    await writer.write(Buffer.from(part('tale/SKILL.md', SKILL_MD).concat(part('tale/a', ''))).subarray(0, -2))
    for (let sent = 0; sent < 40_000_000; sent += 500_000) await writer.write(Buffer.alloc(500_000, 7))
  })().catch(() => 'hung up on')
  const { status, error } = await answer.then(async (it) => ({
    status: it.status,
    ...((await it.json()) as ClaudeError),
  }))
  expect([status, error.type]).toEqual([413, 'request_too_large'])
  expect(error.message).toContain('more than the 30000000 bytes allowed')
  await writer.abort().catch(() => {})
  await written
  expect(await skills()).toEqual([])
})

test('a client that hangs up has sent nothing', async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const leaving = new AbortController()
  const answer = post(readable, leaving.signal)
  answer.catch(() => {})
  const writer = writable.getWriter()
  await writer.write(Buffer.from(part('tale/SKILL.md', SKILL_MD)))
  // It has arrived as far when others are served.
  expect(await skills()).toEqual([])
  leaving.abort()
  await expect(answer).rejects.toThrow()
  expect(await skills()).toEqual([])
})

test('a slow client makes nobody wait', async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const answer = post(readable)
  const writer = writable.getWriter()
  const body = Buffer.from(part('slow/SKILL.md', SKILL_MD.replace('tale', 'slow')) + part('slow/a', 'x') + END)
  for (let at = 0; at < body.length; at += 40) {
    await writer.write(body.subarray(at, at + 40))
    expect(await skills()).toEqual([])
  }
  await writer.close()
  expect((await answer).status).toBe(200)
  expect(await skills()).toMatchObject([{ display_name: 'slow' }])
})

const told = (message: string): object => ({ error: { message } })

test('errors say what to do about them there, in the shape of whoever asks', async () => {
  const ask = async (headers: Record<string, string>, options: RequestInit = {}, path = '/v1/skills') => {
    const answer = await fetch(new URL(path, server.url), { ...options, headers })
    return { status: answer.status, allow: answer.headers.get('allow'), body: (await answer.json()) as object }
  }
  const claude = { 'anthropic-version': '2023-06-01' }
  const known = { ...claude, 'x-api-key': server.key }
  const openai = { authorization: `Bearer ${server.key}` }
  expect(await ask(claude)).toMatchObject({
    status: 401,
    body: told(
      'The request has no Authorization header. Send a key of a tenant as "x-api-key" or as "Authorization: Bearer <key>".',
    ),
  })
  const noForm = { method: 'POST', body: '{}' }
  const text = 'The body comes as "application/json"; files come as multipart/form-data.'
  expect(await ask({ ...known, 'content-type': 'application/json' }, noForm)).toMatchObject({ body: told(text) })
  expect(await ask({ ...openai, 'content-type': 'application/json' }, noForm)).toMatchObject({ body: told(text) })
  const limit = 'The limit is "0"; it must be a whole number from 1 to 1000.'
  expect(await ask(known, {}, '/v1/skills?limit=0')).toMatchObject({ body: told(limit) })
  expect((await post(part('saga/SKILL.md', skillFiles('saga')['SKILL.md']!.toString()) + END)).status).toBe(200)
  expect(await ask(known, {}, '/v1/skills/saga/versions/99')).toMatchObject({
    body: told('The skill "saga" has no version "99". Check the id or name; list to see what there is.'),
  })
  expect(await ask(known, { method: 'PUT' })).toMatchObject({
    status: 405,
    allow: 'POST, GET, HEAD',
    body: { type: 'error', error: { type: 'invalid_request_error', message: 'PUT is not served at /v1/skills.' } },
  })
  expect(await ask(openai, { method: 'PUT' })).toMatchObject({
    status: 405,
    body: { error: { code: 'method_not_allowed', param: null } },
  })
  expect(await ask(openai, { method: 'GET' }, '/mcp')).toMatchObject({ status: 405, body: { jsonrpc: '2.0' } })
})

test('what was begun under a name and came to nothing does not keep it', async () => {
  await server.ok('POST', '/api/skills', { name: 'yarn', description: 'Begun by hand, never uploaded.' })
  const content = SKILL_MD.replace('name: tale', 'name: yarn')
  const create = (): Promise<Response> => post(part('yarn/SKILL.md', content) + END)
  const { id } = (await (await create()).json()) as { id: string }
  expect(await skills()).toContainEqual(expect.objectContaining({ id, display_name: 'yarn' }))
  // As after a server that died between the two: the version is there, and no agent gets it.
  const prod = '/api/skills/yarn/stages/prod'
  await server.ok('DELETE', prod)
  expect((await server.call('GET', prod)).status).toBe(404)
  expect(((await (await create()).json()) as { id: string }).id).toBe(id)
  await server.ok('GET', prod)
  expect((await create()).status).toBe(409)
})
