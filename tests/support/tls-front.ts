import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { issueCertificate } from '../../src/net/fixtures/certificate.ts'

/** What stands before a server in the world: https, at an address that is not this machine's own alone. */
export interface Front {
  readonly url: string
  /** PEM, for clients that are to trust it. */
  readonly authorityFile: string
  /** Passes requests on from now on. */
  leadTo(server: string): void
  close(): Promise<void>
}

/** @returns Null where this machine has only loopback addresses. */
export async function tlsFront(): Promise<Front | null> {
  const host = Object.values(networkInterfaces())
    .flat()
    .find((one) => one !== undefined && !one.internal && one.family === 'IPv4')?.address
  if (host === undefined) return null
  const { key, cert, authority } = await issueCertificate(host)
  const folder = await mkdtemp(join(tmpdir(), 'skillet-tls-'))
  const authorityFile = join(folder, 'authority.pem')
  await writeFile(authorityFile, authority)
  let target = ''
  const server = createServer({ key, cert }, (asked, answer) => {
    const { method, headers, url } = asked
    const onward = request(new URL(url!, target), { method, headers }, (got) => {
      got.pipe(answer.writeHead(got.statusCode!, got.headers))
    })
    onward.once('error', () => answer.destroy())
    asked.pipe(onward)
  })
  server.listen(0, host)
  await once(server, 'listening')
  return {
    url: `https://${host}:${(server.address() as AddressInfo).port}`,
    authorityFile,
    leadTo: (url) => void (target = url),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
      await rm(folder, { recursive: true, force: true })
    },
  }
}
