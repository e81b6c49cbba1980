import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, readlinkSync, readdirSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { type Socket, connect, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { listen } from '../../net/fixtures/listen.ts'
import { egressPid, egressPids, openFds } from './fixtures/processes.ts'
import { openSockets } from './fixtures/sandbox-sockets.ts'
import { entries, openWayOut } from './fixtures/way-out.ts'

const ANSWERS = (): string[] => ['127.0.0.2']
const hello = () =>
  listen(
    createServer((socket) => socket.end('hello')),
    '127.0.0.2',
  )
const gone = (pid: number): boolean => !existsSync(`/proc/${pid}`) || /^State:\s+Z/m.test(status(pid))
/** Here and there. */
const fds = (): number[] => [openFds(process.pid), openFds(egressPid())]
const status = (pid: number): string => readFileSync(`/proc/${pid}/status`, 'utf8')

test('a process that is killed is told to all that it served, and the next sandbox has another one', async () => {
  await using wayOut = await openWayOut(ANSWERS)
  await using server = await hello()
  const { port } = server
  const guests = [await wayOut.join([`api.example.com:${port}`], [port]), await wayOut.join(['api.example.com'])]
  expect(await guests[0]!.read('api.example.com', port)).toBe('hello')
  const closed = await wayOut.join(['api.example.com'])
  closed.link.close()
  const pid = egressPid()
  process.kill(pid, 'SIGKILL')
  await expect.poll(() => guests.map(({ lost }) => lost())).toEqual([1, 1])
  expect(closed.lost()).toBe(0)
  await guests[0]!.link.told()
  guests[0]!.link.close()
  await expect.poll(() => wayOut.errors.map(String)).toEqual(['Error: The process ended (SIGKILL).'])

  const next = await wayOut.join([`api.example.com:${port}`], [port])
  expect(await next.read('api.example.com', port)).toBe('hello')
  expect(egressPid()).not.toBe(pid)
  expect(guests.map(({ lost }) => lost())).toEqual([1, 1])
})

test('one that is killed while it is asked for a way out has given none, and the next one does', async () => {
  await using wayOut = await openWayOut(ANSWERS)
  await wayOut.join(['api.example.com'])
  const asked = wayOut.join(['api.example.com'])
  process.kill(egressPid(), 'SIGKILL')
  await expect(asked).rejects.toThrow(expect.objectContaining({ name: 'EgressUnavailable' }))
  expect(await (await wayOut.join(['api.example.com'])).lookUp('api.example.com')).toEqual(['127.77.0.1'])
})

test('a process that nobody needs any more ends, and the next sandbox has another one', async () => {
  await using wayOut = await openWayOut(ANSWERS, { restMs: 1 })
  const guests = [await wayOut.join(['api.example.com']), await wayOut.join(['api.example.com'])]
  const pid = egressPid()
  guests[0]!.link.close()
  guests[0]!.link.close()
  expect(await guests[1]!.lookUp('api.example.com')).toEqual(['127.77.0.1'])
  guests[1]!.link.close()
  await expect.poll(() => gone(pid)).toBe(true)
  const next = await wayOut.join(['api.example.com'])
  expect(await next.lookUp('api.example.com')).toEqual(['127.77.0.1'])
  expect(egressPid()).not.toBe(pid)
  expect(guests.map(({ lost }) => lost())).toEqual([0, 0])
  expect(wayOut.errors).toEqual([])
})

test('closing leaves no process, and gives no way out any more', async () => {
  const before = egressPids()
  const wayOut = await openWayOut(ANSWERS)
  expect(egressPids()).toEqual(before)
  await wayOut.join(['api.example.com'])
  const pid = egressPid()
  expect(before).not.toContain(pid)
  await wayOut[Symbol.asyncDispose]()
  expect(gone(pid)).toBe(true)
  await expect(wayOut.join(['api.example.com'])).rejects.toThrow(expect.objectContaining({ name: 'EgressUnavailable' }))
  expect(egressPids()).toEqual(before)
  expect(wayOut.errors).toEqual([])
})

test('a sandbox that ends leaves no socket behind, neither here nor there, whatever it was doing', async () => {
  await using wayOut = await openWayOut(ANSWERS)
  const connected: Socket[] = []
  await using server = await listen(
    createServer((socket) => connected.push(socket.on('error', () => undefined))),
    '127.0.0.2',
  )
  const { port } = server
  const one = async (): Promise<void> => {
    const guest = await wayOut.join([`api.example.com:${port}`], [port])
    const client = await guest.connect('api.example.com', port)
    client.write('x')
    await expect.poll(() => connected.length).toBe(1)
    const ends = Promise.all(
      [client, connected.pop()!].map((socket) => new Promise((end) => socket.once('close', end))),
    )
    guest.link.close()
    guest.link.close()
    await ends
    await guest.close()
  }
  await one()
  const before = fds()
  for (let i = 0; i < 10; i++) await one()
  await expect.poll(fds).toEqual(before)
})

test('sockets that cannot be used are an error, and none of them is left', async () => {
  await using wayOut = await openWayOut(ANSWERS)
  await wayOut.join(['api.example.com'])
  const before = openFds(egressPid())
  const [one, other] = [openSockets([]).sockets, openSockets([]).sockets]
  const sockets = { dns: one.dns, tcp: [{ port: 80, handle: other.dns }] }
  const rules = { allow: entries(['api.example.com']), trust: 'tenant' } as const
  const observer = { denied: () => undefined, lost: () => undefined }
  await expect(wayOut.egress.connect(sockets, rules, observer)).rejects.toThrow(
    expect.objectContaining({ name: 'EgressUnavailable' }),
  )
  await expect.poll(() => openFds(egressPid())).toBe(before)
})

test('the process has nothing of the server: no environment, no files, and not its rights', async () => {
  await using wayOut = await openWayOut(ANSWERS)
  process.env['SKILLET_TEST_SECRET'] = 'hunter2'
  try {
    await wayOut.join(['api.example.com'])
  } finally {
    delete process.env['SKILLET_TEST_SECRET']
  }
  const pid = egressPid()
  const names = readFileSync(`/proc/${pid}/environ`, 'utf8')
    .split('\0')
    .filter(Boolean)
    .map((one) => one.split('=')[0]!)
  expect(names.filter((name) => !/^(https|all|no)_proxy$|^NODE_|^SSL_CERT_FILE$/i.test(name))).toEqual([])
  expect(readlinkSync(`/proc/${pid}/cwd`)).toBe('/')
  const files = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))
  expect(files.filter((file) => !/^(socket|pipe|anon_inode):|^\/dev\/null$/.test(file))).toEqual([])
  if (process.getuid!() === 0) {
    expect(/^Uid:\s+(.*)$/m.exec(status(pid))![1]!.split('\t')).toEqual(Array(4).fill('60706'))
    expect(/^CapPrm:\s+(.*)$/m.exec(status(pid))![1]).toBe('0000000000000000')
    expect(/^Groups:(.*)$/m.exec(status(pid))![1]!.trim()).toBe('')
  }
})

test('it ends with the server, however that ends; but not by a Ctrl-C that the server takes its time for', async () => {
  const program = `
    const { openWayOut } = await import(${JSON.stringify(new URL('./fixtures/way-out.ts', import.meta.url).href)})
    const { egressPid } = await import(${JSON.stringify(new URL('./fixtures/processes.ts', import.meta.url).href)})
    const wayOut = await openWayOut(() => ['127.0.0.2'])
    await wayOut.join(['api.example.com'])
    process.on('SIGUSR2', async () => console.log(await (await wayOut.join(['api.example.com'])).lookUp('api.example.com')))
    console.log(egressPid())`
  const server = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(server.stdout, 'data')) as [Buffer]
  const pid = Number(line.toString())
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid, signal)
  server.kill('SIGUSR2')
  expect(String((await once(server.stdout, 'data'))[0])).toContain('127.77.0.1')
  expect(gone(pid)).toBe(false)
  server.kill('SIGKILL')
  await expect.poll(() => gone(pid)).toBe(true)
})

test('what the operator trusts is dialed by name, by way of his proxy, whatever the address', async () => {
  await using server = await hello()
  const asked: string[] = []
  const proxy = createHttpServer()
  proxy.on('connect', (request, socket: Socket) => {
    asked.push(`${request.url} ${request.headers['proxy-authorization']}`)
    const upstream = connect(server.port, '127.0.0.2', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.pipe(socket.on('error', () => upstream.destroy())).pipe(upstream)
    })
  })
  await using proxying = await listen(proxy)
  await using wayOut = await openWayOut(() => [], { networks: [] })
  const before = { HTTPS_PROXY: process.env['HTTPS_PROXY'], NO_PROXY: process.env['NO_PROXY'] }
  Object.assign(process.env, { HTTPS_PROXY: `http://me:secret@127.0.0.1:${proxying.port}`, NO_PROXY: 'localhost' })
  try {
    const allow = entries([`index.example.com:${server.port}`, `localhost:${server.port}`])
    const guest = await wayOut.join({ allow, trust: 'operator' }, [server.port])
    expect(await guest.read('index.example.com', server.port)).toBe('hello')
    const login = Buffer.from('me:secret').toString('base64')
    expect(asked).toEqual([`index.example.com:${server.port} Basic ${login}`])
    expect(wayOut.dns.asked).toEqual([])
  } finally {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
})
