import { NOTE } from '../backends/contract/engine-fixtures.ts'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'

interface Ticket {
  upload_id: string
  method: string
  url: string
  headers: Record<string, string>
  expires_at: string
  code?: string
}

const MAX = 100_000
const UPLOADS = '/api/skills/up/stages/dev/uploads'
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ maxUploadBytes: MAX })
  await server.call('POST', '/api/skills', { name: 'up' })
  await server.call('PUT', '/api/skills/up/stages/dev', {})
})
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})

const ticketFor = async (bytes: Uint8Array): Promise<Ticket> =>
  (await server.call<Ticket>('POST', UPLOADS, { size: bytes.length, sha256: sha256(bytes) })).body

async function put(url: string, bytes: Uint8Array, headers: Record<string, string> = {}) {
  const { pathname, search } = new URL(url)
  const { status, body } = await server.call<{ code?: string; state?: string }>('PUT', pathname + search, undefined, {
    key: null,
    raw: bytes,
    headers,
  })
  return { status, code: body.code, state: body.state }
}

const stateOf = async ({ upload_id }: Ticket): Promise<string> =>
  (await server.call<{ state: string }>('GET', `${UPLOADS}/${upload_id}`)).body.state

const announce = (size: unknown) => server.call<Ticket>('POST', UPLOADS, { size, sha256: '0'.repeat(64) })

test('a package goes to the URL that was handed out, and its arrival is told', async () => {
  const bytes = randomBytes(5000)
  const ticket = await ticketFor(bytes)
  expect(ticket.method).toBe('PUT')
  expect(Date.parse(ticket.expires_at)).toBeGreaterThan(Date.now())
  expect(await stateOf(ticket)).toBe('pending')
  const answer = await put(ticket.url, bytes, ticket.headers)
  expect(answer).toMatchObject({ status: 202, state: 'received' })
  expect(server.arrivals.at(-1)).toBe(ticket.upload_id)
  expect(await stateOf(ticket)).toBe('received')
})

test('each URL is good for one PUT, also when several come at once', async () => {
  const bytes = randomBytes(2000)
  const ticket = await ticketFor(bytes)
  const answers = await Promise.all([1, 2, 3].map(() => put(ticket.url, bytes)))
  expect(answers.filter(({ status }) => status === 202)).toHaveLength(1)
  for (const { status, code } of answers) if (status !== 202) expect([status, code]).toEqual([409, 'upload_repeated'])
  expect(await put(ticket.url, bytes)).toMatchObject({ status: 409, code: 'upload_repeated' })
  expect(server.arrivals.filter((id) => id === ticket.upload_id)).toHaveLength(1)
})

test('nothing of the URL can be changed', async () => {
  const bytes = randomBytes(1000)
  const [ticket, other] = [await ticketFor(bytes), await ticketFor(bytes)]
  const changed = (change: (url: URL) => void): string => {
    const url = new URL(ticket.url)
    change(url)
    return url.href
  }
  const urls = [
    changed((url) => url.searchParams.set('size', '999999999')),
    changed((url) => url.searchParams.set('sha256', sha256(Buffer.from('other')))),
    changed((url) => url.searchParams.set('expires', '2099-01-01T00:00:00.000Z')),
    changed((url) => url.searchParams.set('signature', '0'.repeat(64))),
    changed((url) => void (url.pathname = new URL(other.url).pathname)),
  ]
  for (const url of urls) expect(await put(url, bytes)).toMatchObject({ status: 403, code: 'upload_tampered' })
  expect(
    await put(
      changed((url) => url.searchParams.delete('signature')),
      bytes,
    ),
  ).toMatchObject({ status: 400 })
  expect(await stateOf(ticket)).toBe('pending')
  expect(await put(ticket.url, bytes)).toMatchObject({ status: 202 })
})

test('a body of another length or content is refused and can be sent again rightly', async () => {
  const bytes = randomBytes(3000)
  const ticket = await ticketFor(bytes)
  expect(await put(ticket.url, bytes.subarray(1))).toMatchObject({ status: 400, code: 'upload_size_mismatch' })
  expect(await put(ticket.url, randomBytes(3000))).toMatchObject({ status: 400, code: 'upload_checksum_mismatch' })
  expect(await stateOf(ticket)).toBe('pending')
  expect(await put(ticket.url, bytes)).toMatchObject({ status: 202 })
})

test('a body without a length is refused', async () => {
  const bytes = randomBytes(3000)
  const ticket = await ticketFor(bytes)
  const call = request(ticket.url, { method: 'PUT', headers: { 'transfer-encoding': 'chunked' } })
  call.end(bytes)
  const [response] = (await once(call, 'response')) as [import('node:http').IncomingMessage]
  expect(response.statusCode).toBe(400)
  response.resume()
  expect(await stateOf(ticket)).toBe('pending')
})

test('a client that hangs up halfway leaves the upload as it was', async () => {
  const bytes = randomBytes(90_000)
  const ticket = await ticketFor(bytes)
  const call = request(ticket.url, { method: 'PUT', headers: { 'content-length': bytes.length } })
  call.write(bytes.subarray(0, 50_000))
  await once(call, 'socket')
  const closed = new Promise<void>((resolve) => call.once('close', () => resolve()))
  call.on('error', () => {})
  call.destroy()
  await closed
  expect(await put(ticket.url, bytes)).toMatchObject({ status: 202 })
})

test('what is too large gets no URL', async () => {
  expect(await announce(MAX)).toMatchObject({ status: 201 })
  expect(await announce(MAX + 1)).toMatchObject({ status: 413, body: { code: 'upload_too_large', max_bytes: MAX } })
  for (const size of [0, -1, 1.5, '10', null]) expect((await announce(size)).status).toBe(400)
})

test('an upload whose time has passed is expired, and its URL is refused', async () => {
  const bytes = randomBytes(100)
  const { body: ticket } = await server.call<Ticket>('POST', UPLOADS, { size: bytes.length, sha256: sha256(bytes) })
  const upload = (await server.engine.skills.findUploadById(ticket.upload_id))!
  const late = { ...upload, id: `${upload.id.slice(0, -1)}0`, expires_at: '2020-01-01T00:00:00.000Z' }
  await server.engine.skills.createUpload(late, NOTE)
  expect(await stateOf({ ...ticket, upload_id: late.id })).toBe('expired')
  const { pathname, search } = new URL(server.uploadUrl(late))
  const answer = await server.call<Ticket>('PUT', pathname + search, undefined, { key: null, raw: bytes })
  expect([answer.status, answer.body.code]).toEqual([410, 'upload_expired'])
})

test("another stage's and another tenant's uploads are not there", async () => {
  const ticket = await ticketFor(randomBytes(10))
  await server.call('PUT', '/api/skills/up/stages/prod', {})
  expect((await server.call('GET', `/api/skills/up/stages/prod/uploads/${ticket.upload_id}`)).status).toBe(404)
  const key = await server.strangerKey()
  await server.call('POST', '/api/skills', { name: 'up' }, { key })
  await server.call('PUT', '/api/skills/up/stages/dev', {}, { key })
  expect((await server.call('GET', `${UPLOADS}/${ticket.upload_id}`, undefined, { key })).status).toBe(404)
})
