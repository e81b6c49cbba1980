import { readFileSync } from 'node:fs'
import { type Socket, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { type Listening, listen } from '../../net/fixtures/listen.ts'
import { egressPid } from './fixtures/processes.ts'
import { openWayOut } from './fixtures/way-out.ts'

const ANSWERS = (): string[] => ['127.0.0.2']
const serving = (serve: (socket: Socket) => void): Promise<Listening> =>
  listen(
    createServer((socket) => serve(socket.on('error', () => undefined))),
    '127.0.0.2',
  )
/** As much as is taken. @param sent Told how much that is. */
function flood(socket: Socket, sent: (bytes: number) => void = () => undefined): void {
  const chunk = Buffer.alloc(65_536)
  const more = (): void => {
    while (!socket.destroyed && socket.write(chunk)) sent(chunk.length)
  }
  socket.on('drain', more)
  more()
}

test('a sandbox has so many bytes an hour, both ways together', async () => {
  await using wayOut = await openWayOut(ANSWERS, { limits: { bytes: 1_000_000 } })
  await using server = await serving((socket) => socket.write(Buffer.alloc(3_000_000)))
  const { port } = server
  const guest = await wayOut.join([`api.example.com:${port}`], [port])
  for (let i = 0; i < 2; i++) expect(await guest.read('api.example.com', port)).toBe('ECONNRESET')
  await guest.link.told()
  expect(guest.denied.reduce((sum, { why, times }) => sum + (why === 'limit' ? times : 0), 0)).toBe(2)
  const { connections, bytes_in } = guest.link.traffic()
  expect(connections).toBe(1)
  expect(bytes_in).toBeGreaterThanOrEqual(1_000_000)
  // No more than what came with one reading.
  expect(bytes_in).toBeLessThan(1_200_000)
})

test('nothing is read faster than it is taken: a client that does not read costs no memory', async () => {
  await using wayOut = await openWayOut(ANSWERS, { limits: { byteRate: 1e9 } })
  let sent = 0
  await using server = await serving((socket) => flood(socket, (bytes) => (sent += bytes)))
  const { port } = server
  const guest = await wayOut.join([`api.example.com:${port}`], [port])
  const pid = egressPid()
  const before = memory(pid)
  const clients = await Promise.all(Array.from({ length: 40 }, () => guest.connect('api.example.com', port)))
  for (const client of clients) client.pause()
  // The same again and again: nothing moves any more.
  let last = -1
  await expect.poll(() => last === (last = sent), { interval: 500 }).toBe(true)
  expect(sent).toBeGreaterThan(40 * 65_536)
  // 40 connections of 64 KB a chunk, and what a process has around that.
  expect(memory(pid) - before).toBeLessThan(60)
  expect(await guest.lookUp('api.example.com')).toEqual(['127.77.0.1'])
  for (const client of clients) client.destroy()
})

test('traffic is held to its rate', async () => {
  await using wayOut = await openWayOut(ANSWERS, { limits: { byteRate: 2_000_000 } })
  const bytes = 1_200_000
  await using server = await serving((socket) => socket.end(Buffer.alloc(bytes)))
  const { port } = server
  const guest = await wayOut.join([`api.example.com:${port}`], [port])
  const began = performance.now()
  expect((await guest.read('api.example.com', port)).length).toBe(bytes)
  // Half a second of it, less the tenth of a second that may come at once.
  expect(performance.now() - began).toBeGreaterThan(450)
})

test('a connection on which nothing moves ends', async () => {
  await using wayOut = await openWayOut(ANSWERS, { limits: { idleMs: 200 } })
  await using server = await serving(() => undefined)
  const { port } = server
  const guest = await wayOut.join([`api.example.com:${port}`], [port])
  expect(await guest.read('api.example.com', port)).toBe('ECONNRESET')
})

test('bulk traffic of one sandbox holds up no query of another', async () => {
  await using wayOut = await openWayOut(ANSWERS)
  await using server = await serving((socket) => flood(socket))
  const { port } = server
  const greedy = await wayOut.join([`api.example.com:${port}`], [port])
  const clients = await Promise.all(Array.from({ length: 50 }, () => greedy.connect('api.example.com', port)))
  let got = 0
  for (const client of clients) client.on('data', (chunk: Buffer) => (got += chunk.length))
  await expect.poll(() => got).toBeGreaterThan(1_000_000)
  const other = await wayOut.join(['api.example.com'])
  for (let i = 0; i < 200; i++) expect(await other.lookUp('api.example.com')).toEqual(['127.77.0.1'])
  for (const client of clients) client.destroy()
})

test('megabytes come through as they are, both ways', async () => {
  await using wayOut = await openWayOut(ANSWERS)
  await using server = await serving((socket) => socket.pipe(socket))
  const { port } = server
  const guest = await wayOut.join([`api.example.com:${port}`], [port])
  const socket = await guest.connect('api.example.com', port)
  const sent = Array.from({ length: 600_000 }, (_, i) => `${i},`).join('')
  socket.end(sent)
  expect((await text(socket)) === sent).toBe(true)
  await guest.link.told()
  const bytes = Buffer.byteLength(sent)
  expect(guest.link.traffic()).toEqual({ connections: 1, bytes_out: bytes, bytes_in: bytes })
})

/** In MB. */
function memory(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024
}
