import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type Server, type Socket, createServer } from 'node:net'
import type { AddressPolicy } from '../../net/policy.ts'
import { createDenials } from './denials.ts'
import { answerQuery } from './dns-answer.ts'
import type { EgressRules, SandboxSockets } from './egress.ts'
import { forward } from './forward.ts'
import { createGate } from './gate.ts'
import type { EgressLimits } from './limits.ts'
import type { FromEgress } from './messages.ts'
import { createMeter } from './meter.ts'
import { createNames } from './names.ts'
import { createReach } from './reach.ts'
import { cut } from './splice.ts'
import { createTokenBucket } from './token-bucket.ts'

/** What all sandboxes have together. */
export interface Building {
  readonly policy: AddressPolicy
  readonly dnsServers: readonly string[] | undefined
  readonly limits: EgressLimits
  /** Connections that are open. */
  readonly connections: Set<Socket>
  send(message: FromEgress): void
}

/** Where the traffic of one sandbox comes out. */
export interface SandboxDoor {
  /** Sends what was not told yet, and that it was. */
  tell(): void
  /** Ends all connections, gives up the sockets, and sends what was not told yet. */
  close(): void
}

/** Serves a sandbox. @throws when a socket cannot be used */
export async function openDoor(
  link: number,
  sockets: SandboxSockets,
  rules: EgressRules,
  building: Building,
): Promise<SandboxDoor> {
  const { limits, connections: all, send } = building
  const names = createNames(rules.allow, limits.names)
  const denials = createDenials((attempt) => send({ is: 'denied', link, ...attempt }))
  const meter = createMeter(limits, (traffic) => send({ is: 'traffic', link, ...traffic }))
  const reach = createReach({ ...building, trust: rules.trust, connectMs: limits.connectMs })
  const parts = { names, meter, reach, limits, denied: denials.add, connecting: createGate(limits.connecting) }
  const mine = new Set<Socket>()
  const newConnections = createTokenBucket(limits.connectionRate, limits.connectionBurst)
  const queries = createTokenBucket(limits.queryRate, limits.queryRate * 2)

  function accept(client: Socket, port: number): void {
    client.on('error', () => cut(client))
    const fits = mine.size < limits.connections
    const fitsAll = all.size < limits.totalConnections || mine.size < limits.connectionsAssured
    if (!newConnections.take() || !fits || !fitsAll || meter.spent()) {
      const address = client.localAddress ?? ''
      denials.add(names.nameAt(address) ?? address, port, 'limit')
      cut(client)
      return
    }
    mine.add(client)
    all.add(client)
    client.once('close', () => {
      mine.delete(client)
      all.delete(client)
    })
    void forward(client, port, parts)
  }

  const dns = createSocket('udp4')
  dns.on('message', (packet, from) => {
    // Nobody can be answered there, and trying to is a fault.
    if (from.port === 0) return
    if (!queries.take()) return denials.add('(queries)', null, 'limit')
    const answer = answerQuery(packet, (name, wantsAddress) => {
      if (!names.listed(name)) {
        denials.add(name, null, 'name')
        return 'unknown'
      }
      if (!wantsAddress) return 'none'
      const address = names.addressOf(name)
      if (address !== null) return { address }
      denials.add(name, null, 'limit')
      return 'refused'
    })
    // Who does not wait for its answer has none: there is nobody to tell.
    if (answer !== null) dns.send(answer, from.port, from.address, () => undefined)
  })
  const servers: Server[] = []
  const close = (): void => {
    dns.close()
    for (const server of servers) server.close()
    for (const client of mine) cut(client)
    denials.close()
    meter.close()
  }
  // A socket that fails later is its sandbox's loss, and nobody else's.
  const failed = (error: Error): void => console.error(`link ${link}: ${error.message}`)
  const ready: Promise<unknown>[] = [once(dns, 'listening')]
  try {
    dns.on('error', failed).bind(sockets.dns as { fd: number })
    for (const { port, handle } of sockets.tcp) {
      const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) =>
        accept(client, port),
      )
      servers.push(server.on('error', failed))
      ready.push(once(server, 'listening'))
      server.listen(handle, BACKLOG)
    }
    await Promise.all(ready)
  } catch (error) {
    // What fails besides says nothing new, and must not end the process.
    void Promise.allSettled(ready)
    close()
    throw error
  }
  return {
    tell() {
      denials.flush()
      meter.flush()
      send({ is: 'told', link })
    },
    close,
  }
}

const BACKLOG = 128
