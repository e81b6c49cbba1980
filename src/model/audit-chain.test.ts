import { expect, test } from 'vitest'
import { AuditChain, CHAIN_START } from './audit-chain.ts'
import { type AuditEvent, auditHash } from './audit.ts'

function log(rows: number): AuditEvent[] {
  const events: AuditEvent[] = []
  for (let seq = 1; seq <= rows; seq++) {
    const row = {
      tenant: 'ten_1',
      seq,
      at: '2026-11-21T08:00:00.000Z',
      actor_kind: 'key' as const,
      actor: 'key_1',
      action: 'skill.create' as const,
      target_kind: 'skill',
      target: `skl_${seq}`,
      outcome: 'done' as const,
      request_id: null,
      client: null,
      before: null,
      after: 'a'.repeat(64),
      detail: { name: 'x', nested: { b: 1, a: [2] } },
      previous: events.at(-1)?.hash ?? CHAIN_START.hash,
    }
    events.push({ ...row, hash: auditHash(row) })
  }
  return events
}

function faults(events: readonly AuditEvent[]): string | null {
  const chain = new AuditChain()
  for (const event of events) {
    const fault = chain.add(event)
    if (fault !== null) return fault
  }
  return null
}

test('a log that nobody touched holds, and its end is that of its last row', () => {
  const events = log(5)
  const chain = new AuditChain()
  expect(events.map((event) => chain.add(event))).toEqual([null, null, null, null, null])
  expect(chain.head).toEqual({ seq: 5, hash: events[4]!.hash })
})

const EDITS: Partial<AuditEvent>[] = [
  { tenant: 'ten_2' },
  { at: '2026-11-21T08:00:00.001Z' },
  { actor_kind: 'token' },
  { actor: 'key_2' },
  { action: 'skill.delete' },
  { target_kind: 'stage' },
  { target: 'skl_9' },
  { outcome: 'denied' },
  { request_id: 'req_1' },
  { client: '::1' },
  { before: 'b'.repeat(64) },
  { after: null },
  { detail: {} },
  { hash: 'c'.repeat(64) },
]
test.each(EDITS)('a row that was edited is found: %o', (edit) => {
  expect(faults(log(4).map((event) => (event.seq === 2 ? { ...event, ...edit } : event)))).toMatch(/^row 2 was changed/)
})

test('a row that was edited and given the right hash is missed by the next one', () => {
  const events = log(4)
  const row = { ...events[1]!, actor: 'key_2' }
  events[1] = { ...row, hash: auditHash(row) }
  expect(faults(events)).toMatch(/^row 3 does not follow/)
})

test('rows that are gone, doubled or moved are found', () => {
  const [a, b, c, d] = log(4) as [AuditEvent, AuditEvent, AuditEvent, AuditEvent]
  expect(faults([a, c, d])).toMatch(/^row 2 is missing before row 3/)
  expect(faults([b, c, d])).toMatch(/^row 1 is missing/)
  expect(faults([a, b, b, c])).toMatch(/^row 2 comes again/)
  expect(faults([a, c, b, d])).toMatch(/^row 2 is missing/)
  expect(faults([a, { ...c, seq: 2 }, { ...b, seq: 3 }, d])).toMatch(/^row 2 does not follow/)
})
