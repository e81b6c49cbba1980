import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestServer, startTestServer } from '../../http/fixtures/test-server.ts'
import { modern } from './fixtures/rpc.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ recheckMs: 20 })
})
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})

async function newKey(): Promise<{ id: string; key: string }> {
  return (await server.call<{ id: string; key: string }>('POST', '/api/keys', { role: 'agent', name: 'listener' })).body
}

/** A stream of changes, which has begun. */
async function listen(key: string) {
  const { message, headers } = modern('subscriptions/listen', { notifications: { toolsListChanged: true } })
  const leaving = new AbortController()
  const answer = await fetch(new URL('/mcp', server.url), {
    method: 'POST',
    headers: {
      ...headers,
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify(message),
    signal: leaving.signal,
  })
  const reader = answer.body!.getReader()
  const { value } = await reader.read()
  expect(Buffer.from(value).toString()).toContain('acknowledged')
  return { reader, leave: () => leaving.abort() }
}

test('a key that is revoked, and one whose grants are others by now, listens no further; others do', async () => {
  const [revoked, regranted, other] = [await newKey(), await newKey(), await newKey()]
  const kept = await listen(other.key)
  const ended = [await listen(revoked.key), await listen(regranted.key)]
  await server.call('DELETE', `/api/keys/${revoked.id}`)
  await server.call('POST', '/api/grants', { principal: regranted.id, allowed_skills: ['*'] })
  for (const { reader } of ended) expect((await reader.read()).done).toBe(true)
  const next = kept.reader.read().then(
    () => 'more',
    () => 'left',
  )
  kept.leave()
  expect(await next).toBe('left')
})
