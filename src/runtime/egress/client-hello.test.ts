import { once } from 'node:events'
import { createServer } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { expect, test } from 'vitest'
import { listen } from '../../net/fixtures/listen.ts'
import { type Reading, createHelloReader } from './client-hello.ts'

/** What node:tls really sends. */
async function realHello(options: { servername?: string; ALPNProtocols?: string[] }): Promise<Buffer> {
  const got = Promise.withResolvers<Buffer>()
  await using server = await listen(createServer((socket) => socket.once('data', got.resolve)))
  const client = connectTls({ port: server.port, host: '127.0.0.1', ...options })
  client.on('error', () => undefined)
  const bytes = await got.promise
  client.destroy()
  await once(client, 'close')
  return bytes
}

/** In one go, and byte by byte: both have to mean the same. */
function read(bytes: Buffer): Reading {
  const whole = createHelloReader()
  const reading = whole.push(bytes)
  expect(whole.bytes()).toEqual(bytes)
  const pieces = createHelloReader()
  let last: Reading = 'more'
  let used = 0
  for (; used < bytes.length && last === 'more'; used++) last = pieces.push(bytes.subarray(used, used + 1))
  expect(last).toEqual(reading)
  expect(pieces.bytes()).toEqual(bytes.subarray(0, used))
  return reading
}

const hello = await realHello({ servername: 'API.example.com', ALPNProtocols: ['h2', 'http/1.1'] })
const vector = (lengthBytes: number, ...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts)
  const length = Buffer.alloc(lengthBytes)
  length.writeUIntBE(body.length, 0, lengthBytes)
  return Buffer.concat([length, body])
}
const record = (body: Buffer, minor = 1): Buffer => Buffer.concat([Buffer.from([22, 3, minor]), vector(2, body)])
const extension = (type: number, body: Buffer): Buffer =>
  Buffer.concat([Buffer.from([type >> 8, type & 255]), vector(2, body)])
const names = (...entries: [kind: number, name: string][]): Buffer =>
  extension(
    0,
    vector(2, ...entries.map(([kind, name]) => Buffer.concat([Buffer.from([kind]), vector(2, Buffer.from(name))]))),
  )
/** Of TLS 1.2, with one cipher. */
function handshake(...extensions: Buffer[]): Buffer {
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    vector(1),
    vector(2, Buffer.from([0x13, 1])),
    vector(1, Buffer.from([0])),
    ...(extensions.length === 0 ? [] : [vector(2, ...extensions)]),
  ])
  return Buffer.concat([Buffer.from([1]), vector(3, body)])
}

test('reads whom a real client wants, in lower case', async () => {
  expect(read(hello)).toEqual({ serverName: 'api.example.com' })
  expect(read(await realHello({}))).toEqual({ serverName: null })
})

test('a hello may come in many records and with what nobody knows', () => {
  const body = hello.subarray(5)
  for (const size of [1, 2, 3, 7, 100, 255]) {
    const records: Buffer[] = []
    for (let at = 0; at < body.length; at += size) records.push(record(body.subarray(at, at + size)))
    expect(read(Buffer.concat(records))).toEqual({ serverName: 'api.example.com' })
  }
  const grease = extension(0x0a0a, Buffer.alloc(0))
  const encrypted = extension(0xfe0d, Buffer.alloc(200, 1))
  expect(read(record(handshake(grease, names([0, 'x.example.com']), encrypted)))).toEqual({
    serverName: 'x.example.com',
  })
  expect(read(record(handshake()))).toEqual({ serverName: null })
  // What comes in the next record is not read, and not lost.
  expect(createHelloReader().push(Buffer.concat([hello, Buffer.alloc(70_000, 23)]))).toEqual({
    serverName: 'api.example.com',
  })
})

test.each<[string, Buffer]>([
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['SSH', Buffer.from('SSH-2.0-x\r\n')],
  ['a record of another kind', Buffer.from([23, 3, 3, 0, 1, 1])],
  ['a version of another kind', Buffer.from([22, 2, 0, 0, 5, 1])],
  ['a version that nobody has', Buffer.from([22, 3, 5, 0, 5, 1])],
  ['an empty record', Buffer.from([22, 3, 1, 0, 0, 1])],
  ['a record that is too long', Buffer.from([22, 3, 1, 0x40, 1, 1])],
  ['another handshake', Buffer.from([22, 3, 1, 0, 5, 2])],
  ['the hello of SSL 2', Buffer.from([0x80, 0x2e, 1, 0, 2])],
])('%s is no TLS', (_, bytes) => {
  expect(read(bytes)).toBe('none')
})

test.each<[string, Buffer]>([
  ['two names', handshake(names([0, 'a.example.com'], [0, 'b.example.com']))],
  ['two lists of names', handshake(names([0, 'a.example.com']), names([0, 'b.example.com']))],
  ['a name of another kind', handshake(names([1, 'a.example.com']))],
  ['no name in the list', handshake(names())],
  ['an empty name', handshake(names([0, '']))],
  ['a name with a null byte', handshake(names([0, 'a.example.com\0.b.example.com']))],
  ['a list with something after it', handshake(extension(0, Buffer.concat([vector(2), Buffer.from([1])])))],
  ['extensions with something after them', Buffer.concat([handshake(names([0, 'a.example.com'])), Buffer.from([0])])],
  ['a length that is too long for anybody', Buffer.concat([Buffer.from([1, 1, 0, 0]), Buffer.alloc(100)])],
  ['a length that is too short', Buffer.concat([Buffer.from([1, 0, 0, 2]), Buffer.from([3, 3])])],
])('a hello with %s is broken', (_, body) => {
  expect(read(record(body))).toBe('broken')
})

test('a hello that another record interrupts, or that never ends, is broken', () => {
  const alert = Buffer.from([21, 3, 1, 0, 2, 1, 0])
  expect(read(Buffer.concat([record(hello.subarray(5, 50)), alert]))).toBe('broken')
  const endless = Buffer.concat(
    Array.from({ length: 3000 }, (_, i) => record(Buffer.from(i < 4 ? [[1, 0, 63, 0][i]!] : [0]))),
  )
  expect(read(endless)).toBe('broken')
})

test('every beginning of a hello wants more, and no change of a byte is a fault', () => {
  for (let length = 1; length < hello.length; length++) {
    expect(createHelloReader().push(hello.subarray(0, length))).toBe('more')
  }
  const outcomes = new Set<string>()
  for (let at = 0; at < hello.length; at++) {
    for (const flip of [1, 0xff]) {
      const changed = Buffer.from(hello)
      changed[at]! ^= flip
      const reading = read(changed)
      outcomes.add(typeof reading === 'string' ? reading : 'read')
    }
  }
  expect([...outcomes].toSorted()).toEqual(['broken', 'more', 'none', 'read'])
})
