import { type Server, createServer } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { generate } from 'selfsigned'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDnsServer } from './fixtures/dns-server.ts'
import { listen } from './fixtures/listen.ts'
import { createAddressPolicy } from './policy.ts'
import { type PinnedAnswer, sendPinned } from './request.ts'
import { RequestFailed } from './request-failed.ts'
import { parseTarget } from './target.ts'

const policy = createAddressPolicy({ networks: ['127.0.0.1'], own: () => null })

interface Certificate {
  readonly key: string
  readonly cert: string
}

const DAY_MS = 86_400_000
const trustedBefore = getCACertificates('default')
let good: Certificate
let expired: Certificate
let untrusted: Certificate

beforeAll(async () => {
  const authority = await issue('Test authority', {})
  const ca = { ca: authority }
  good = await issue('hooks.example.com', ca)
  expired = await issue('hooks.example.com', {
    ...ca,
    notBeforeDate: new Date(Date.now() - 9 * DAY_MS),
    notAfterDate: new Date(Date.now() - DAY_MS),
  })
  untrusted = await issue('hooks.example.com', {})
  setDefaultCACertificates([...trustedBefore, authority.cert])
})

afterAll(() => setDefaultCACertificates(trustedBefore))

test('SNI, Host and the certificate go by the name, the connection by the address', async () => {
  const seen: unknown[] = []
  await using server = await listen(
    createServer(good, (request, response) => {
      seen.push((request.socket as TLSSocket).servername, request.headers.host)
      response.end('over TLS')
    }),
  )
  expect(await post(server.port, 'hooks.example.com')).toEqual({ status: 200, retryAfter: null, body: 'over TLS' })
  expect(seen).toEqual(['hooks.example.com', `hooks.example.com:${server.port}`])
})

test('an address is judged by the addresses in the certificate', async () => {
  await using server = await listen(answering(good))
  expect((await post(server.port, '127.0.0.1')).status).toBe(200)
})

test.each<[what: string, certificate: () => Certificate, host: string, said: string]>([
  [
    'of another name',
    () => good,
    'other.example.com',
    'The certificate is not for this host (ERR_TLS_CERT_ALTNAME_INVALID).',
  ],
  ['that has expired', () => expired, 'hooks.example.com', 'The certificate has expired (CERT_HAS_EXPIRED).'],
  [
    'of an unknown authority',
    () => untrusted,
    'hooks.example.com',
    'The certificate is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT).',
  ],
])('a certificate %s ends it before anything is sent', async (_what, certificate, host, said) => {
  let requests = 0
  const https = answering(certificate()).on('request', () => requests++)
  await using server = await listen(https)
  await expect(post(server.port, host)).rejects.toThrow(new RequestFailed(said))
  expect(requests).toBe(0)
})

test('the switch that turns checking off for all of Node is not obeyed', async () => {
  await using server = await listen(answering(untrusted))
  const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED']
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
  try {
    await expect(post(server.port, 'hooks.example.com')).rejects.toThrow(/not trusted/)
  } finally {
    if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
    else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before
  }
})

test('who does not speak TLS gets nothing in clear', async () => {
  let heard = Buffer.alloc(0)
  await using server = await listen(
    createTcpServer((socket) =>
      socket.on('data', (chunk: Buffer) => {
        heard = Buffer.concat([heard, chunk])
        socket.end('HTTP/1.1 200 OK\r\n\r\n')
      }),
    ),
  )
  await expect(post(server.port, 'hooks.example.com')).rejects.toThrow(/^No TLS connection came about/)
  expect(heard.includes('secret payload')).toBe(false)
})

test('a handshake that does not end is waited for no longer than the time', async () => {
  await using server = await listen(createTcpServer((socket) => socket.resume()))
  await expect(post(server.port, 'hooks.example.com', 300)).rejects.toThrow('There was no answer in 300 ms.')
})

async function post(port: number, host: string, timeoutMs = 30_000): Promise<PinnedAnswer> {
  await using dns = await openDnsServer(() => ['127.0.0.1'])
  const target = parseTarget(`https://${host}:${port}/`, policy)
  return await sendPinned(target, policy, {
    method: 'POST',
    headers: {},
    body: 'secret payload',
    timeoutMs,
    servers: [dns.server],
  })
}

function answering(certificate: Certificate): Server {
  return createServer(certificate, (_request, response) => response.end())
}

/** For a name and 127.0.0.1; an authority when no other one signs it. */
async function issue(
  name: string,
  { ca, ...dates }: { readonly ca?: Certificate; readonly notBeforeDate?: Date; readonly notAfterDate?: Date },
): Promise<Certificate> {
  const made = await generate([{ name: 'commonName', value: name }], {
    ...dates,
    ...(ca === undefined ? {} : { ca }),
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: name === 'Test authority', critical: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: name.includes('.') ? name : 'authority.example.com' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  })
  return { key: made.private, cert: made.cert }
}
