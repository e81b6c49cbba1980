import { decode, encode } from 'dns-packet'
import { expect, test } from 'vitest'
import { type Verdict, answerQuery } from './dns-answer.ts'
import { seeded } from './fixtures/seeded.ts'

const verdicts: Record<string, Verdict> = {
  'api.example.com': { address: '127.77.3.4' },
  'empty.example.com': 'none',
  'many.example.com': 'refused',
}
const ask = (packet: Buffer): Buffer | null => answerQuery(packet, (name) => verdicts[name] ?? 'unknown')

function query(name: string, more: object = {}): Buffer {
  return encode({ type: 'query', id: 4711, flags: 0x0100, questions: [{ name, type: 'A' }], ...more })
}

test('an answer repeats the question as it was asked, upper and lower case included', () => {
  const answer = decode(ask(query('aPi.ExamplE.com'))!)
  expect(answer).toMatchObject({
    id: 4711,
    type: 'response',
    rcode: 'NOERROR',
    flag_aa: true,
    flag_rd: true,
    flag_ra: true,
    flag_tc: false,
    questions: [{ name: 'aPi.ExamplE.com', type: 'A', class: 'IN' }],
    answers: [{ name: 'aPi.ExamplE.com', type: 'A', class: 'IN', ttl: 5, data: '127.77.3.4' }],
    authorities: [],
    additionals: [],
  })
})

test.each([
  ['other.example.com', 'NXDOMAIN'],
  ['empty.example.com', 'NOERROR'],
  ['many.example.com', 'REFUSED'],
  ['.', 'NXDOMAIN'],
])('%s is answered with %s and no address', (name, rcode) => {
  expect(decode(ask(query(name))!)).toMatchObject({ rcode, questions: [{ name }], answers: [] })
})

test('what else a query may hold is passed over', () => {
  const additionals = [{ type: 'OPT', name: '.', udpPayloadSize: 4096, flags: 0, options: [] }] as never
  expect(decode(ask(query('api.example.com', { additionals }))!)).toMatchObject({
    answers: [{ data: '127.77.3.4' }],
    additionals: [],
  })
})

test('no answer is answered, and what is no query of one name in the internet is told so', () => {
  expect(ask(encode({ type: 'response', id: 1, questions: [{ name: 'api.example.com', type: 'A' }] }))).toBeNull()
  for (let length = 0; length < 12; length++) expect(ask(query('api.example.com').subarray(0, length))).toBeNull()
  const rcode = (packet: Buffer): number => ask(packet)![3]! & 15
  const two = [
    { name: 'api.example.com', type: 'A' },
    { name: 'x.example.com', type: 'A' },
  ]
  expect(rcode(query('', { questions: two }))).toBe(1)
  expect(rcode(query('', { questions: [] }))).toBe(1)
  expect(rcode(query('api.example.com').subarray(0, 20))).toBe(1)
  expect(rcode(Buffer.concat([query('api.example.com'), Buffer.alloc(2000)]))).toBe(1)
  expect(rcode(query('api.example.com', { flags: 0x2800 }))).toBe(4)
  expect(rcode(query('', { questions: [{ name: 'api.example.com', type: 'A', class: 'CH' }] }))).toBe(5)
  // A name that points to itself, and one that points to what follows.
  for (const pointer of [12, 14]) {
    const packet = Buffer.concat([query('a').subarray(0, 12), Buffer.from([0xc0, pointer, 0, 1, 0, 1])])
    expect(rcode(packet)).toBe(1)
  }
})

test('whatever bytes come, an answer is short, says that it is one, and repeats the id', () => {
  const random = seeded(20_261_121)
  const whole = query('api.example.com')
  let answers = 0
  for (let i = 0; i < 50_000; i++) {
    const packet = i % 2 === 0 ? Buffer.from(whole) : Buffer.alloc(random(1500))
    if (i % 2 === 1) for (let at = 0; at < packet.length; at++) packet[at] = random(256)
    else for (let times = random(6); times >= 0; times--) packet[random(packet.length)] = random(256)
    const answer = ask(packet)
    if (answer === null) continue
    answers++
    expect(answer.length).toBeLessThanOrEqual(12 + 255 + 4 + 16)
    expect(answer[2]! & 0x80).toBe(0x80)
    expect(answer.readUInt16BE(0)).toBe(packet.readUInt16BE(0))
  }
  expect(answers).toBeGreaterThan(1000)
})
