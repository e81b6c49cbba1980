import { spawn } from 'node:child_process'
import { type Socket as UdpSocket, createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type Server, connect, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { Egress } from '../egress/egress.ts'
import { openFds, openTestNetwork } from '../test-network.ts'
import { invoke, openTestSessions } from '../test-sessions.ts'
import { openNetwork } from './sandbox-network.ts'

/**
 * The form in which Node's processes pass handles on is Node's own and promised to nobody. When this fails with a new Node, then
 * `send` in open_ports.py has to learn how that one does it.
 */
test('Node takes sockets in the form in which open_ports.py passes them on', async () => {
  const program = `
import sys, _socket
sys.path.insert(0, ${JSON.stringify(fileURLToPath(new URL('../hosts', import.meta.url)))})
sys.dont_write_bytecode = True
import open_ports
channel = _socket.socket(fileno=3)
channel.setblocking(True)
udp = open_ports.opened(_socket.SOCK_DGRAM, "127.0.0.1", 0)
port = udp.getsockname()[1]
open_ports.send(channel, "dgram.Native", port, udp)
tcp = open_ports.opened(_socket.SOCK_STREAM, "127.0.0.1", 0)
tcp.listen(1)
port = tcp.getsockname()[1]
open_ports.send(channel, "net.Native", port, tcp)
channel.close()
`
  const child = spawn('/usr/bin/python3', ['-I', '-S', '-c', program], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  const said = text(child.stderr!)
  const got: { port: number; handle: unknown }[] = []
  child.on('message', ({ port }: { port: number }, handle) => got.push({ port, handle }))
  const [code] = (await once(child, 'close')) as [number]
  expect({ code, said: await said }).toEqual({ code: 0, said: '' })
  expect(got.map(({ handle }) => (handle as object).constructor.name)).toEqual(['UDP', 'TCP'])

  const udp: UdpSocket = createSocket('udp4')
  udp.bind(got[0]!.handle as { fd: number })
  const tcp: Server = createServer((socket) => socket.end(`served at ${socket.localPort}`)).listen(got[1]!.handle)
  await once(tcp, 'listening')
  udp.send('to itself', got[0]!.port, '127.0.0.1')
  expect(String((await once(udp, 'message'))[0])).toBe('to itself')
  expect(await text(connect(got[1]!.port))).toBe(`served at ${got[1]!.port}`)
  udp.close()
  tcp.close()
})

test('anything else than the sockets of the list is refused, and what came is closed', async () => {
  const hosts = fileURLToPath(new URL('../hosts', import.meta.url))
  const before = openFds(process.pid)
  const taken: unknown[] = []
  const egress: Egress = {
    connect: (sockets) => Promise.reject(taken.push(sockets)),
    close: () => Promise.resolve(),
  }
  for (const [first, second] of [
    ['"net.Native", 53, tcp()', '"net.Native", 8080, tcp()'],
    ['"dgram.Native", 53, udp()', '"net.Native", 8081, tcp()'],
    ['"dgram.Native", 53, udp()', '"dgram.Native", 8080, udp()'],
  ]) {
    const program = `
import sys, _socket
sys.path.insert(0, ${JSON.stringify(hosts)})
sys.dont_write_bytecode = True
import open_ports
channel = _socket.socket(fileno=3)
channel.setblocking(True)
udp = lambda: open_ports.opened(_socket.SOCK_DGRAM, "127.0.0.1", 0)
tcp = lambda: open_ports.opened(_socket.SOCK_STREAM, "127.0.0.1", 0)
open_ports.send(channel, ${first})
open_ports.send(channel, ${second})
`
    const child = spawn('/usr/bin/python3', ['-I', '-S', '-c', program], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    const allow = [{ name: 'api.example.com', wildcard: false, ports: [8080] }]
    const { connected } = openNetwork(child, egress, { allow, trust: 'tenant' })
    await expect(connected).rejects.toThrow('something else than the sockets')
    await once(child, 'close')
  }
  expect(taken).toEqual([])
  await expect.poll(() => openFds(process.pid)).toBeLessThanOrEqual(before)
})

test('a list without a way out is an error that says so, and sessions without a list need none', async () => {
  await using sessions = { ...(await openTestSessions()), [Symbol.asyncDispose]: () => sessions.close() }
  const code = 'def handler(input): return input'
  const network = [{ name: 'api.example.com', wildcard: false, ports: [443] }]
  await expect(sessions.python(code, { network })).rejects.toMatchObject({ name: 'SandboxError', fix: /egress/ })
  expect(sessions.driver.capabilities().network).toBe('none')
  const session = await sessions.python(code)
  expect((await invoke(session, 1)).output).toBe(1)
})

test('sessions that end leave no descriptor behind, here or where their traffic goes: their networks are gone', async () => {
  await using network = await openTestNetwork()
  const { sessions, list } = network
  expect(sessions.driver.capabilities().network).toBe('enforced')
  const one = async (): Promise<void> => {
    const session = await sessions.python(
      'import socket\ndef handler(where): return socket.create_connection(tuple(where)).recv(9).decode()',
      { network: list },
    )
    expect((await invoke(session, ['api.example.com', network.ports.plain])).output).toBe('hello')
    await session.kill()
  }
  await one()
  const pid = network.egressPid()
  const before = [openFds(process.pid), openFds(pid)]
  for (let i = 0; i < 20; i++) await one()
  await expect.poll(() => [openFds(process.pid), openFds(pid)]).toEqual(before)
  // One that is killed while it is made, too.
  const abort = new AbortController()
  const spec = { ...(await specOf()), network: list }
  const making = sessions.driver.prepare(spec, abort.signal)
  abort.abort(new Error('not wanted any more'))
  await expect(making).rejects.toThrow('not wanted any more')
  await expect.poll(() => [openFds(process.pid), openFds(pid)]).toEqual(before)

  async function specOf() {
    return {
      id: 'session-none',
      runtime: 'python3',
      handler: { kind: 'python', file: 'main.py', function: 'handler', takes_context: false },
      bundle: await sessions.bundle({ 'main.py': 'def handler(_): pass' }),
      memory_mb: 128,
    } as const
  }
})

test('a tool reaches what it is given, and what it tried in vain is told', async () => {
  await using network = await openTestNetwork()
  const script = `
import socket
for name in ("api.example.com", "evil.example.com", "evil.example.com"):
    try: print(socket.gethostbyname(name))
    except OSError: print("unknown")`
  const result = await network.sessions.driver.tool({
    argv: ['/usr/bin/python3', '-I', '-c', script],
    binds: [],
    memory_mb: 128,
    disk_mb: 16,
    timeout_ms: 120_000,
    network: network.list,
  })
  expect(result.stdout).toMatch(/^127\.77\.\d+\.\d+\nunknown\nunknown\n$/)
  expect(result.denied).toMatchObject([{ host: 'evil.example.com', port: null, why: 'name' }])
})
