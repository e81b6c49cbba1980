import assert from 'node:assert/strict'
import { createServer as createHttpServer } from 'node:http'
import { listen } from '../../src/net/fixtures/listen.ts'
import type { AbuseCase, AbuseWorld, Attack, AttackRun } from '../case.ts'
import { type Target, allowed, connecting, told } from '../connecting.ts'

const METADATA = '169.254.169.254'
/** In other words: what a careless check takes for a name, and the system for an address. */
const SPELLINGS = (
  '2852039166 0xa9fea9fe 0251.0376.0251.0376 169.254.43518 169.16689662 [::ffff:169.254.169.254] ::ffff:169.254.169.254 ' +
  '::ffff:a9fe:a9fe 64:ff9b::a9fe:a9fe 2002:a9fe:a9fe:: 169.254.169.254. 169.254.169.254.nip.io ①⑥⑨.②⑤④.①⑥⑨.②⑤④ 169。254。169。254'
).split(' ')
const LOOPBACKS = [
  '2130706433',
  '0x7f000001',
  '0177.0.0.1',
  '127.1',
  '0',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '127.0.0.1.',
]

const spelled = connecting(
  ({ network: { servers } }) => [
    ...SPELLINGS.map((host): Target => [host, 80]),
    ...LOOPBACKS.map((host): Target => [host, servers.other.port]),
    ...LOOPBACKS.map((host): Target => [host, servers.http.port]),
  ],
  allowed,
)

const FOLLOWING_PYTHON = `
import socket, ssl, urllib.request
def fetch(url):
    try:
        with urllib.request.urlopen(url, timeout=60) as answer: return "reached: " + answer.read(100).decode()
    except Exception as error: return type(error).__name__
def speak(name, port, said):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection((name, port), 60) as it, context.wrap_socket(it, server_hostname=said) as tls:
            tls.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
            return "reached: " + tls.recv(100).decode()
    except (OSError, ValueError) as error: return type(error).__name__
def handler(input):
    return {
        "redirects": {url: fetch(url) for url in input["urls"]},
        "names": {said: speak(input["name"], input["https"], said) for said in ("metadata.internal", "evil.example.com", "xapi.example.com", "api.example.com.evil.example.com")},
        "unsaid": {str(said): speak("tls.c52.example.com", 443, said) for said in ("10.0.0.5", None)},
        "own": speak(input["name"], input["https"], input["name"]),
        "rebinding": [fetch(input["rebinding"]) for _ in range(6)],
    }
`
const FOLLOWING_NODE = `
import tls from 'node:tls'
const get = (url) => fetch(url, { signal: AbortSignal.timeout(60_000) }).then(async (answer) => 'reached: ' + await answer.text(), (error) => error.name)
const speak = (host, port, servername) => new Promise((resolve) => {
  const socket = tls.connect({ host, port, servername, rejectUnauthorized: false, checkServerIdentity: () => undefined, timeout: 60_000 })
  socket.on('secureConnect', () => socket.write('GET / HTTP/1.0\\r\\n\\r\\n')).on('data', (chunk) => resolve('reached: ' + chunk))
  socket.on('error', ({ code }) => resolve(code)).on('end', () => resolve('closed')).on('timeout', () => resolve('timeout'))
})
export async function execute({ urls, name, https, rebinding }) {
  const redirects = {}, names = {}, again = []
  for (const url of urls) redirects[url] = await get(url)
  for (const said of ['metadata.internal', 'evil.example.com', 'xapi.example.com', 'api.example.com.evil.example.com']) names[said] = await speak(name, https, said)
  const unsaid = { none: await speak('tls.c52.example.com', 443, '') }
  const own = await speak(name, https, name)
  for (let i = 0; i < 6; i++) again.push(await get(rebinding))
  return { redirects, names, unsaid, own, rebinding: again }
}`

const following: Omit<Attack, 'code'> = {
  outcome: 'succeeded',
  async input(world: AbuseWorld) {
    const { network } = world
    const redirecting = await redirector(world)
    for (const name of ['c52.example.com', 'tls.c52.example.com']) network.name(name, () => ['127.0.0.1'])
    // Asked for A and for AAAA each time; every second time it is another machine's.
    network.name('rebinding.c52.example.com', (time) => (time % 2 === 1 ? ['127.0.0.1'] : ['10.0.0.5', METADATA]))
    return {
      name: network.allowed.name,
      https: network.servers.https.port,
      urls: TARGETS.map((_, i) => `http://c52.example.com:${redirecting}/${i}`),
      rebinding: `http://rebinding.c52.example.com:${network.servers.http.port}/`,
    }
  },
  spec: ({ network }) => ({
    network: [
      network.allowed,
      { name: 'c52.example.com', wildcard: false, ports: [REDIRECTING] },
      { name: 'c52.example.com', wildcard: true, ports: [443, network.servers.http.port] },
    ],
  }),
  held(ran: AttackRun) {
    const { redirects, names, unsaid, own, rebinding } = ran.output as Record<
      'redirects' | 'names' | 'unsaid',
      Record<string, string>
    > & {
      own: string
      rebinding: string[]
    }
    assert.match(own, /^reached: HTTP.1.1 200/)
    for (const [what, how] of [redirects, names, unsaid].flatMap(Object.entries<string>)) {
      assert.doesNotMatch(how, /^reached/, what)
    }
    assert.ok(
      rebinding.some((how) => how.startsWith('reached: http for rebinding')),
      'the name was never reached',
    )
    assert.ok(
      rebinding.some((how) => !how.startsWith('reached')),
      'no address was refused',
    )
    told(ran, /api\.example\.com:\d+ was refused \(TLS for another name/)
    told(ran, /tls\.c52\.example\.com:443 was refused \(TLS for another name/)
    told(ran, /rebinding\.c52\.example\.com:\d+ was refused \(the name has an address that is private/)
  },
}

const TARGETS = [
  `http://${METADATA}/latest/meta-data/`,
  'http://[fd00:ec2::254]/',
  'http://10.0.0.5/',
  'http://localhost/',
  'http://2852039166/',
  'http://denied.example.com/',
  'file:///etc/passwd',
]
/** Known before there is a server: a list names ports. */
const REDIRECTING = 20_000 + (process.pid % 10_000)

async function redirector(world: AbuseWorld): Promise<number> {
  const server = createHttpServer((request, response) => {
    response.writeHead(302, { location: TARGETS[Number(request.url!.slice(1))]! }).end()
  })
  const open = await listen(server, '127.0.0.1', REDIRECTING)
  world.after(() => open[Symbol.asyncDispose]())
  return open.port
}

/** What can be done with a network list besides what it is for. */
export const WAY_OUT: readonly AbuseCase[] = [
  {
    number: 52,
    title: 'redirects to metadata, other TLS names, rebinding, addresses in other words',
    python: [spelled.python, { ...following, code: FOLLOWING_PYTHON }],
    node: [spelled.node, { ...following, code: FOLLOWING_NODE }],
  },
]
