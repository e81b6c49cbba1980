import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { encode } from 'dns-packet'
import { expect, test } from 'vitest'
import { openSockets } from './fixtures/sandbox-sockets.ts'
import { entries, openWayOut } from './fixtures/way-out.ts'

/** Only whoever may write whole packets can send one from port 0. Fails with PermissionError where that is not allowed. */
const SEND = `import socket, struct, sys
port, query = int(sys.argv[1]), bytes.fromhex(sys.argv[2])
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
raw.sendto(struct.pack("!HHHH", 0, port, 8 + len(query), 0) + query, ("127.0.0.1", 0))`

test('a query from a port to which no answer can be sent costs nobody the way out', async ({ skip }) => {
  await using wayOut = await openWayOut(() => ['127.0.0.2'])
  const other = await wayOut.join(['api.example.com'])
  const { sockets, dnsPort } = openSockets([])
  const rules = { allow: entries(['api.example.com']), trust: 'tenant' } as const
  await wayOut.egress.connect(sockets, rules, { denied: () => undefined, lost: () => undefined })
  const query = encode({ type: 'query', questions: [{ name: 'api.example.com', type: 'A' }] }).toString('hex')
  const sent = await promisify(execFile)('python3', ['-c', SEND, String(dnsPort), query]).catch((error: Error) => error)
  if (sent instanceof Error && sent.message.includes('PermissionError')) skip('no raw sockets here')
  expect(sent).not.toBeInstanceOf(Error)
  expect(await other.lookUp('api.example.com')).toEqual(['127.77.0.1'])
  await other.link.told()
  expect([other.lost(), wayOut.errors]).toEqual([0, []])
})
