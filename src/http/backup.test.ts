import { readdir } from 'node:fs/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readBackup } from '../upkeep/read-backup.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'

let server: TestServer
beforeEach(async () => {
  server = await startTestServer()
})
afterEach(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})

const post = (body?: object, signal?: AbortSignal) =>
  fetch(`${server.url}/api/backup`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${server.operatorKey}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: signal ?? null,
  })

/** @returns The names of what is in it. */
async function read(body?: object): Promise<string[]> {
  const answer = await post(body)
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/x-tar'])
  const manifest = await readBackup(answer.body!, {
    async begin() {},
    async member(_, bytes) {
      for await (const _chunk of bytes) continue
    },
  })
  return manifest.members.map(({ name }) => name)
}

async function drafts(): Promise<string[]> {
  return (await readdir(server.dataDir)).filter((name) => name.startsWith('backup-'))
}

test('an operator gets all state, with its keys unless told otherwise', async () => {
  expect(await read()).toEqual(['skillet.db', 'master.key', 'upload.key', 'owner.key', 'operator.key'])
  expect(await read({ keys: false })).toEqual(['skillet.db'])
})

test('what is asked for is checked', async () => {
  const answer = await server.call('POST', '/api/backup', { keys: 'all' }, { key: server.operatorKey })
  expect(answer).toMatchObject({ status: 400, body: { code: 'bad_request' } })
})

test('a client that leaves leaves nothing behind', async () => {
  const leave = new AbortController()
  const answer = await post({}, leave.signal)
  const reader = answer.body!.getReader()
  await reader.read()
  leave.abort()
  await expect(reader.read()).rejects.toThrow()
  while ((await drafts()).length > 0) await new Promise((resolve) => setTimeout(resolve, 5))
})

test('a server that stops ends a backup, which then is not whole', async () => {
  const answer = await post({})
  const reader = answer.body!.getReader()
  await reader.read()
  server.stopping.abort()
  const rest = async (): Promise<void> => {
    for (;;) if ((await reader.read()).done) return
  }
  await rest().catch((error: unknown) => error)
  while ((await drafts()).length > 0) await new Promise((resolve) => setTimeout(resolve, 5))
})
