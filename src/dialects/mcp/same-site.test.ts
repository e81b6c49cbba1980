import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestServer, startTestServer } from '../../http/fixtures/test-server.ts'
import { modern, send } from './fixtures/rpc.ts'

const PUBLIC = 'https://skills.example.com'
const METADATA = '/.well-known/oauth-protected-resource'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ publicUrl: PUBLIC })
})
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})

const port = (): string => new URL(server.url).port

/** The status, or the code of what is forbidden. */
const outcome = async (headers: Record<string, string>, key: string | null = server.key) => {
  const { status, body } = await send(server.url, LIST.message, { key, headers: { ...LIST.headers, ...headers } })
  return status === 403 ? body.error?.data?.['code'] : status
}
const LIST = modern('tools/list')

describe('requests that browsers are led to send', () => {
  test('come for names that are not ours', async () => {
    for (const host of ['evil.example.com', `evil.example.com:${port()}`, 'localhost.evil.example', 'x.localhost']) {
      expect(await outcome({ host }), host).toBe('host_refused')
    }
    // Not even whether a key is one is told.
    expect(await outcome({ host: 'evil.example.com' }, 'sk_nonsense')).toBe('host_refused')
    const metadata = await send(server.url, '', {
      method: 'GET',
      path: METADATA,
      headers: { host: 'evil.example.com' },
    })
    expect(metadata.status).toBe(403)
    for (const host of ['127.0.0.1', 'localhost:1', '[::1]:80', '10.1.2.3', 'skills.example.com']) {
      expect(await outcome({ host }), host).toBe(200)
    }
  })

  test('come from sites that are not ours', async () => {
    for (const origin of [
      'https://evil.example.com',
      'null',
      'http://127.0.0.1.evil.example',
      'nonsense',
      'http://10.1.2.3',
    ]) {
      expect(await outcome({ origin }), origin).toBe('host_refused')
    }
    for (const origin of ['http://localhost:6274', `http://127.0.0.1:${port()}`, PUBLIC]) {
      expect(await outcome({ origin }), origin).toBe(200)
    }
    expect(await outcome({ host: 'skills.example.com', origin: 'http://localhost:6274' })).toBe('host_refused')
  })
})
