import { expect, test } from 'vitest'
import type { RequestLogEntry } from '../server.ts'
import { createRequestLines } from './request-lines.ts'

const ENTRY: RequestLogEntry = {
  at: '2026-11-21T08:00:00.000Z',
  request_id: 'req_1',
  method: 'GET',
  route: '/api/skills/{skill}',
  status: 200,
  ms: 1.5,
  bytes: 300,
  principal: 'key_1',
  tenant: 'ten_1',
  client: '203.0.113.7',
}

test('lines are written together, in order, and none is lost at the end', () => {
  const written: string[] = []
  const lines = createRequestLines((text) => void written.push(text), 'json')
  for (let i = 0; i < 1000; i++) lines.add({ ...ENTRY, ms: i })
  lines.flush()
  lines.flush()
  expect(written.length).toBeLessThan(10)
  const entries = written.join('').trimEnd().split('\n')
  expect(entries.map((line) => (JSON.parse(line) as { ms: number }).ms)).toEqual(
    Array.from({ length: 1000 }, (_, i) => i),
  )
  expect(JSON.parse(entries[0]!)).toEqual({ ...ENTRY, ms: 0, level: 'info', message: 'request' })
})

test('what is held back is written soon by itself', async () => {
  const text = await new Promise<string>((resolve) => {
    createRequestLines(resolve, 'text').add({ ...ENTRY, status: null, principal: null })
  })
  expect(text).toBe('2026-11-21T08:00:00.000Z GET /api/skills/{skill} gone 1.5 ms nobody from 203.0.113.7 req_1\n')
})
