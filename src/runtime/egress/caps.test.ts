import { once } from 'node:events'
import { type Socket, createServer } from 'node:net'
import { encode } from 'dns-packet'
import { expect, test } from 'vitest'
import { listen } from '../../net/fixtures/listen.ts'
import { seeded } from './fixtures/seeded.ts'
import { type Guest, openWayOut } from './fixtures/way-out.ts'

const ANSWERS = (): string[] => ['127.0.0.2']
const refusals = ({ denied }: Guest, why: string): number =>
  denied.filter((one) => one.why === why).reduce((sum, { times }) => sum + times, 0)

const echo = () =>
  listen(
    createServer((socket) => socket.pipe(socket)),
    '127.0.0.2',
  )

async function echoes(socket: Socket): Promise<boolean> {
  socket.write('x')
  return await Promise.race([once(socket, 'data').then(() => true), once(socket, 'close').then(() => false)]).catch(
    () => false,
  )
}

test('a sandbox has so many names, and no more', async () => {
  await using wayOut = await openWayOut(ANSWERS, { limits: { names: 50, queryRate: 10_000 } })
  const guest = await wayOut.join(['api.example.com', '*.wild.example.com'])
  const found = await Promise.all(Array.from({ length: 60 }, (_, i) => guest.lookUp(`n${i}.wild.example.com`)))
  expect(found.slice(0, 50).map(String)).toEqual(Array.from({ length: 50 }, (_, i) => `127.77.0.${i + 1}`))
  expect(found.slice(50)).toEqual(Array.from({ length: 10 }, () => 'REFUSED'))
  expect(await guest.lookUp('n7.wild.example.com')).toEqual(['127.77.0.8'])
  await guest.link.told()
  expect(refusals(guest, 'limit')).toBe(10)
  // Another one has its own.
  expect(await (await wayOut.join(['*.wild.example.com'])).lookUp('x.wild.example.com')).toEqual(['127.77.0.1'])
})

test('what is refused is counted and not told one by one', async () => {
  await using wayOut = await openWayOut(ANSWERS, { limits: { queryRate: 100_000 } })
  const guest = await wayOut.join(['api.example.com'])
  // As many at once as the kernel keeps.
  for (let i = 0; i < 3000; i += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, j) => guest.lookUp(`n${(i + j) % 1000}.evil.org`)))
  }
  await guest.link.told()
  expect(refusals(guest, 'name')).toBe(3000)
  expect(guest.denied.length).toBeLessThan(300)
  expect(guest.denied[0]).toEqual({ host: 'n0.evil.org', port: null, why: 'name', times: 1 })
})

test('who asks too fast gets no answers; who asks beside it does', async () => {
  await using wayOut = await openWayOut(ANSWERS, { limits: { queryRate: 10 } })
  const [fast, other] = [await wayOut.join(['api.example.com']), await wayOut.join(['api.example.com'])]
  let answered = 0
  for (let i = 0; i < 200; i++) void fast.lookUp('api.example.com').then(() => answered++)
  expect(await other.lookUp('api.example.com')).toEqual(['127.77.0.1'])
  await expect.poll(async () => (await fast.link.told(), refusals(fast, 'limit'))).toBeGreaterThan(0)
  expect(answered).toBeLessThan(200)
  expect(fast.denied.find(({ why }) => why === 'limit')).toMatchObject({ host: '(queries)', port: null })
})

test('who floods with queries is not read: the kernel drops them, and nobody counts them one by one', async () => {
  await using wayOut = await openWayOut(ANSWERS, { limits: { queryRate: 10 } })
  const [fast, other] = [await wayOut.join(['api.example.com']), await wayOut.join(['api.example.com'])]
  for (let i = 0; i < 18; i++) {
    for (let j = 0; j < 200; j++) void fast.lookUp('api.example.com')
    expect(await other.lookUp('api.example.com')).toEqual(['127.77.0.1'])
  }
  await fast.link.told()
  expect(refusals(fast, 'limit')).toBeGreaterThan(0)
  // Each was, when each was read.
  expect(refusals(fast, 'limit')).toBeLessThan(200)
})

test('who floods with connections loses the way out; others keep theirs', async () => {
  await using wayOut = await openWayOut(ANSWERS, {
    limits: { connectionRate: 0.001, connectionBurst: 1, excessRate: 0.001, excessBurst: 20 },
  })
  await using server = await listen(
    createServer((socket) => socket.end('hello')),
    '127.0.0.2',
  )
  const { port } = server
  const guest = await wayOut.join([`api.example.com:${port}`], [port], { names: 1 })
  const other = await wayOut.join([`api.example.com:${port}`], [port], { names: 1, after: 1 })
  const got: string[] = []
  // Some more are still answered while it is being cut off.
  while (got.at(-1) !== 'ECONNREFUSED' && got.length < 200) got.push(await guest.read('127.77.0.1', port))
  expect(new Set(got)).toEqual(new Set(['ECONNRESET', 'ECONNREFUSED']))
  await expect.poll(guest.lost).toBe(1)
  expect(refusals(guest, 'limit')).toBeGreaterThanOrEqual(20)
  await guest.link.told()
  guest.link.close()
  expect(await other.read('api.example.com', port)).toBe('hello')
  expect([other.lost(), wayOut.errors]).toEqual([0, []])
})

test('a sandbox has so many connections at once, and others have theirs', async () => {
  const rates = { connectionRate: 1000, connectionBurst: 1000 }
  await using wayOut = await openWayOut(ANSWERS, {
    limits: { connections: 10, totalConnections: 12, connectionsAssured: 1, ...rates },
  })
  await using server = await echo()
  const { port } = server
  const join = (after: number): Promise<Guest> => wayOut.join([`api.example.com:${port}`], [port], { names: 1, after })
  const holds = async (guest: Guest, count: number): Promise<void> => {
    for (let i = 0; i < count; i++) expect(await echoes(await guest.connect('api.example.com', port))).toBe(true)
    expect(await guest.read('api.example.com', port)).toBe('ECONNRESET')
    await guest.link.told()
    expect(guest.denied).toEqual([{ host: 'api.example.com', port, why: 'limit', times: 1 }])
  }
  const first = await join(0)
  await holds(first, 10)
  first.link.close()
  // All together have 12, and each has one in any case.
  const second = await join(1)
  await holds(second, 10)
  const [third, fourth] = [await join(2), await join(3)]
  await holds(third, 2)
  await holds(fourth, 1)
})

test('a sandbox makes so many connections a second', async () => {
  await using wayOut = await openWayOut(ANSWERS, { limits: { connectionRate: 0.001, connectionBurst: 5 } })
  await using server = await listen(
    createServer((socket) => socket.end('hello')),
    '127.0.0.2',
  )
  const { port } = server
  const guest = await wayOut.join([`api.example.com:${port}`], [port])
  const got: string[] = []
  for (let i = 0; i < 8; i++) got.push(await guest.read('api.example.com', port))
  expect(got).toEqual([...Array<string>(5).fill('hello'), ...Array<string>(3).fill('ECONNRESET')])
  await guest.link.told()
  expect(refusals(guest, 'limit')).toBe(3)
})

test('those that are not connected yet wait for each other, and hold up nobody else', async () => {
  // Some names are never found: whoever is to be dialed for one waits for long.
  await using wayOut = await openWayOut((name) => (name.endsWith('slow.example.com') ? null : ['127.0.0.2']), {
    limits: { connecting: 2 },
  })
  await using server = await listen(
    createServer((socket) => socket.end('hello')),
    '127.0.0.2',
  )
  const { port } = server
  const guest = await wayOut.join([`*.slow.example.com:${port}`], [port], { names: 12 })
  const stuck: Socket[] = []
  for (let i = 0; i < 12; i++) stuck.push(await guest.connect(`n${i}.slow.example.com`, port))
  await expect.poll(() => wayOut.dns.asked.length).toBeGreaterThan(0)
  const other = await wayOut.join([`api.example.com:${port}`], [port], { after: 12 })
  expect(await other.read('api.example.com', port)).toBe('hello')
  const asked = new Set(wayOut.dns.asked.map((one) => one.split(' ')[1])).size - 1
  await guest.link.told()
  expect(asked).toBeLessThanOrEqual(2 + refusals(guest, 'unreachable'))
  expect(asked).toBeGreaterThan(0)
  for (const socket of stuck) socket.destroy()
})

test('packets of any bytes are got over, and cost nobody an answer', async () => {
  await using wayOut = await openWayOut(ANSWERS, { limits: { queryRate: 1_000_000 } })
  const guest = await wayOut.join(['api.example.com', '*.wild.example.com'])
  const random = seeded(5)
  const query = encode({ type: 'query', questions: [{ name: 'api.example.com', type: 'A' }] })
  let answered = 0
  for (let i = 0; i < 2000; i++) {
    const packet = i % 2 === 0 ? Buffer.from(query) : Buffer.alloc(random(2000))
    for (let times = random(40); times > 0 && packet.length > 0; times--) packet[random(packet.length)] = random(256)
    // Of no other query.
    if (packet.length > 1) packet.writeUInt16BE(0x8000 + i, 0)
    if ((await guest.send(packet)) !== null) answered++
  }
  expect(answered).toBeGreaterThan(500)
  expect(await guest.lookUp('api.example.com')).toEqual(['127.77.0.1'])
  expect([guest.lost(), wayOut.errors, wayOut.dns.asked]).toEqual([0, [], []])
})
