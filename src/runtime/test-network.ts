import { readFileSync, readdirSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type Server, createServer } from 'node:net'
import type { NetworkEntry } from '../model/network.ts'
import { issueCertificate } from '../net/fixtures/certificate.ts'
import { type DnsServer, openDnsServer } from '../net/fixtures/dns-server.ts'
import { listen } from '../net/fixtures/listen.ts'
import { openEgress } from './egress/open-egress.ts'
import { type TestSessions, openTestSessions } from './test-sessions.ts'

/** Sandboxes with a way out that is real, to servers on this machine, by names of a DNS of the test's own. */
export interface TestNetwork extends AsyncDisposable {
  readonly sessions: TestSessions
  readonly dns: DnsServer
  /** `api.example.com` and everything under `wild.example.com`, with the ports of the servers, and the usual ones. */
  readonly list: readonly NetworkEntry[]
  /** What listens at 127.0.0.1: http, https (for api.example.com) and a server that says "hello" to whoever connects; one that is in no list. */
  readonly ports: { readonly http: number; readonly https: number; readonly plain: number; readonly other: number }
  /** PEM of what the https server's certificate can be checked against. */
  readonly authority: string
  /** What the way out told the server of. */
  readonly faults: unknown[]
  /** The process that forwards. */
  egressPid(): number
}

export async function openTestNetwork(): Promise<TestNetwork> {
  const open = new AsyncDisposableStack()
  const { key, cert, authority } = await issueCertificate('api.example.com')
  const serve = async (server: Server): Promise<number> => open.use(await listen(server)).port
  const ports = {
    http: await serve(createHttpServer((request, response) => response.end(`http for ${request.headers.host}`))),
    https: await serve(createHttpsServer({ key, cert }, (_, response) => response.end('over TLS'))),
    plain: await serve(createServer((socket) => socket.end('hello'))),
    other: await serve(createServer((socket) => socket.end('should not be reached'))),
  }
  const dns = open.use(await openDnsServer((name) => ADDRESSES[name] ?? []))
  const faults: unknown[] = []
  const egress = open.adopt(
    openEgress({
      networks: ['127.0.0.0/8'],
      dnsServers: [dns.server],
      own: () => null,
      onError: (error) => faults.push(error),
    }),
    (it) => it.close(),
  )
  const sessions = open.adopt(await openTestSessions({ egress }), (it) => it.close())
  const served = [80, 443, ports.http, ports.https, ports.plain]
  return {
    sessions,
    dns,
    list: [
      { name: 'api.example.com', wildcard: false, ports: served },
      { name: 'private.example.com', wildcard: false, ports: served },
      { name: 'wild.example.com', wildcard: true, ports: served },
    ],
    ports,
    authority,
    faults,
    egressPid: () => children(process.pid).find((pid) => commandLine(pid).includes('egress'))!,
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}

const ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  'api.example.com': ['127.0.0.1'],
  'a.b.wild.example.com': ['127.0.0.1'],
  'private.example.com': ['10.0.0.5'],
  'evil.example.com': ['127.0.0.1'],
}

function children(pid: number): number[] {
  const lists = readdirSync(`/proc/${pid}/task`).map((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8'),
  )
  return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number))
}

const commandLine = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8')

/** Open file descriptors of a process. */
export const openFds = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length
