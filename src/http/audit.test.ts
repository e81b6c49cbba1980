import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Page } from '../model/page.ts'
import { newNote } from '../backends/contract/engine-fixtures.ts'
import type { AuditStore } from '../backends/access-ports.ts'
import type { AuditEvent } from '../model/audit.ts'
import { AuditChain, CHAIN_START, type ChainHead } from '../model/audit-chain.ts'
import { type TestServer, startTestServer } from './fixtures/test-server.ts'
import type { AnyCall } from './route.ts'
import { auditRoutes } from './routes/audit.ts'

const ROWS = 450

let server: TestServer
let tenant: string
beforeAll(async () => {
  server = await startTestServer()
  tenant = (await server.call<{ tenant: string }>('GET', '/api/whoami')).body.tenant
  const notes = Array.from({ length: ROWS }, (_, i) => newNote(tenant, 'access.denied', `t${i}`))
  await Promise.all(notes.map((note) => server.engine.audit.append(note, 'denied')))
})
afterAll(async () => {
  expect(server.faults).toEqual([])
  await server.close()
})

async function exported(query: string, key = server.key): Promise<AuditEvent[]> {
  const answer = await fetch(`${server.url}/api/audit/export${query}`, { headers: { authorization: `Bearer ${key}` } })
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/x-ndjson'])
  const text = await answer.text()
  expect(text === '' || text.endsWith('\n')).toBe(true)
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as AuditEvent]))
}

test('the whole log comes as lines, oldest first, and ends at the head', async () => {
  const chain = new AuditChain()
  const rows = await exported('')
  expect(rows.map((row) => chain.add(row)).filter((fault) => fault !== null)).toEqual([])
  expect(chain.head.seq).toBeGreaterThanOrEqual(ROWS)
  expect((await server.call<ChainHead>('GET', '/api/audit/head')).body).toEqual(chain.head)
  expect(await exported(`?after=${chain.head.seq - 2}`)).toEqual(rows.slice(-2))
  expect(await exported(`?after=${chain.head.seq}`)).toEqual([])
})

test('it is listed newest first, page by page', async () => {
  type Rows = Page<AuditEvent>
  const first = (await server.call<Rows>('GET', '/api/audit?limit=200&action=access.denied')).body
  const second = (await server.call<Rows>('GET', `/api/audit?limit=200&action=access.denied&cursor=${first.next}`)).body
  const seqs = [...first.items, ...second.items].map(({ seq }) => seq)
  expect(seqs).toEqual(Array.from({ length: 400 }, (_, i) => seqs[0]! - i))
  const [only] = (await server.call<Rows>('GET', '/api/audit?target=t9')).body.items
  expect(only).toMatchObject({ target: 't9', actor: 'key_1', client: '192.0.2.1', outcome: 'denied' })
  expect((await server.call<Rows>('GET', '/api/audit?actor=nobody')).body).toEqual({ items: [], next: null })
})

test.each([
  '/api/audit?action=nonsense',
  '/api/audit?limit=0',
  '/api/audit?cursor=!',
  '/api/audit/export?after=-1',
  '/api/audit/export?after=1e99',
  '/api/audit/export?before=1',
])('what cannot be meant is refused: %s', async (path) => {
  expect((await server.call('GET', path)).status).toBe(400)
})

test('everybody has the log of the own tenant', async () => {
  const key = await server.strangerKey()
  const answer = await server.call<ChainHead>('GET', '/api/audit/head', undefined, { key })
  expect(answer.body).toEqual(CHAIN_START)
  expect(await exported('', key)).toEqual([])
  const operators = await exported('', server.operatorKey)
  expect(operators.filter((row) => row.tenant === tenant)).toEqual([])
})

test('no more is read than is taken', async () => {
  let reads = 0
  const { audit } = server.engine
  const counted: AuditStore = { ...audit, read: (...of) => (reads++, audit.read(...of)) }
  const route = auditRoutes({ audit: counted }).find(({ id }) => id === 'exportAudit')!
  const call = { caller: { tenant }, query: { after: 0 } } as unknown as AnyCall
  const reader = (await route.handle(call)).stream!.getReader()
  expect(reads).toBe(0)
  const { value } = await reader.read()
  expect(new TextDecoder().decode(value).match(/\n/g)).toHaveLength(200)
  expect(reads).toBe(1)
  await reader.cancel()
  expect(reads).toBe(1)
})
