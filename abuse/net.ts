import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type Server, createServer } from 'node:net'
import type { NetworkEntry } from '../src/model/network.ts'
import { issueCertificate } from '../src/net/fixtures/certificate.ts'
import { openDnsServer } from '../src/net/fixtures/dns-server.ts'
import { type Listening, listen } from '../src/net/fixtures/listen.ts'
import type { Egress } from '../src/runtime/egress/egress.ts'
import { openEgress } from '../src/runtime/egress/open-egress.ts'

/** Servers on this machine, by names of a DNS of the suite's own, and a way out to them. The networks of 127/8 are opened for that. */
export interface AbuseNetwork extends AsyncDisposable {
  readonly egress: Egress
  /** A name that may be reached, at each of the first three servers. */
  readonly allowed: NetworkEntry
  /** The first three, at 127.0.0.1: http, https (for the allowed name), one that says "hello" to whoever connects. And one in no list. */
  readonly servers: {
    readonly http: Listening
    readonly https: Listening
    readonly plain: Listening
    readonly other: Listening
  }
  /** PEM of what the https server's certificate can be checked against. */
  readonly authority: string
  /** Where the DNS listens, as `address:port`. */
  readonly dnsServer: string
  /** Gives a name addresses, anew each time that it is asked for. Each case has names of its own. */
  name(name: string, answer: (time: number) => readonly string[]): void
  /** Questions that reached the DNS and hold the word, such as "A hooks.example.com". */
  asked(word: string): string[]
}

export async function openAbuseNetwork(): Promise<AbuseNetwork> {
  const open = new AsyncDisposableStack()
  const names = new Map<string, (time: number) => readonly string[]>([[NAME, () => ['127.0.0.1']]])
  const { key, cert, authority } = await issueCertificate(NAME)
  const serve = async (server: Server): Promise<Listening> => open.use(await listen(server))
  const servers = {
    http: await serve(createHttpServer((request, response) => response.end(`http for ${request.headers.host}`))),
    https: await serve(createHttpsServer({ key, cert }, (_, response) => response.end('over TLS'))),
    plain: await serve(createServer((socket) => socket.end('hello'))),
    other: await serve(createServer((socket) => socket.end('should not be reached'))),
  }
  const dns = open.use(await openDnsServer((name, time) => names.get(name.toLowerCase())?.(time) ?? []))
  const egress = open.adopt(openOwnEgress(dns.server, ['127.0.0.0/8']), (it) => it.close())
  const ports = [servers.http, servers.https, servers.plain].map(({ port }) => port)
  return {
    egress,
    allowed: { name: NAME, wildcard: false, ports },
    servers,
    authority,
    dnsServer: dns.server,
    name: (name, answer) => void names.set(name, answer),
    asked: (word) => dns.asked.filter((question) => question.includes(word)),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}

/** @param networks Opened although they are private. */
export function openOwnEgress(dnsServer: string, networks: readonly string[]): Egress {
  return openEgress({
    networks,
    dnsServers: [dnsServer],
    own: () => null,
    onError: (error, doing) => process.stderr.write(`${doing}: ${String(error)}\n`),
  })
}

const NAME = 'api.example.com'
