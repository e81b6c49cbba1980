import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newKey } from '../access/keys.ts'
import { readAnswer, rawConnection, sendRaw } from './fixtures/raw-client.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'

interface Problem {
  code: string
}
const SLOW = { perSecond: 0.01, burst: 5 }

const times = <T>(count: number, work: () => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, () => work()))

describe('each key', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startTestServer({ rateLimit: SLOW })
  })
  afterAll(() => server.close())

  test('may send so much and is told when to come again; others are not held up', async () => {
    const answers = await times(12, () => server.call<Problem>('GET', '/api/whoami'))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(5)
    const refused = answers.filter(({ status }) => status === 429)
    expect(refused).toHaveLength(7)
    for (const { body, headers } of refused) {
      expect(body.code).toBe('rate_limited')
      const seconds = Number(headers.get('retry-after'))
      expect(seconds).toBeGreaterThan(50)
      expect(headers.get('ratelimit')).toBe(`"requests";r=0;t=${seconds}`)
    }
    const key = await server.strangerKey()
    expect((await server.call('GET', '/api/whoami', undefined, { key })).status).toBe(200)
    expect((await server.call('GET', '/healthz', undefined, { key: null })).status).toBe(200)
  })

  test('is refused before its body is read', async () => {
    const head = `POST /api/skills HTTP/1.1\nHost: x\nAuthorization: Bearer ${server.key}\nContent-Type: application/json\n`
    const answer = await sendRaw(server.url, `${head}Connection: close\nContent-Length: 1000\n\n{`)
    expect([answer.status, (answer.body as Problem).code]).toEqual([429, 'rate_limited'])
  })
})

describe('each address', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startTestServer({ failureLimit: SLOW, trustProxies: ['127.0.0.1'] })
  })
  afterAll(() => server.close())

  const from = (client: string, key: string | null = newKey().key) =>
    server.call<Problem>('GET', '/api/whoami', undefined, { key, headers: { 'x-forwarded-for': client } })

  test('may guess so many keys; then nothing is looked up, but whoever came with a good one before goes on', async () => {
    const other = await server.strangerKey()
    expect((await from('203.0.113.1', server.key)).status).toBe(200)
    const answers = await times(12, () => from('203.0.113.1'))
    expect(answers.filter(({ body }) => body.code === 'unauthenticated')).toHaveLength(5)
    expect(answers.filter(({ status, body }) => status === 429 && body.code === 'rate_limited')).toHaveLength(7)
    expect((await from('203.0.113.1', null)).status).toBe(429)
    expect((await from('203.0.113.1', server.key)).status).toBe(200)
    // A right guess is not told from a wrong one any more.
    expect((await from('203.0.113.1', other)).status).toBe(429)
    expect((await from('203.0.113.2', other)).status).toBe(200)
    expect((await from('203.0.113.2')).status).toBe(401)
  })

  test('who has all of a network does not have more guesses for it', async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => from(`2001:db8::${i + 1}`)))
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(7)
  })

  test('a key that is revoked is a guess like others', async () => {
    const { body } = await server.call<{ id: string; key: string }>('POST', '/api/keys', {
      role: 'viewer',
      name: 'gone',
    })
    expect((await from('203.0.113.9', body.key)).status).toBe(200)
    await server.call('DELETE', `/api/keys/${body.id}`)
    const statuses = (await times(12, () => from('203.0.113.9', body.key))).map(({ status }) => status)
    expect([statuses.filter((one) => one === 401).length, statuses.filter((one) => one === 429).length]).toEqual([5, 7])
  })

  test('is refused before its body is read', async () => {
    const socket = await rawConnection(server.url)
    socket.write('POST /api/skills HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 100\r\n\r\n{')
    expect((await readAnswer(socket)).status).toBe(401)
  })
})
