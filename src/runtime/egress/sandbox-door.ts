import { once } from 'node:events'
import { type Server, type Socket, createServer } from 'node:net'
import type { AddressPolicy } from '../../net/policy.ts'
import { createDenials } from './denials.ts'
import { openDnsDoor } from './dns-door.ts'
import type { EgressRules, SandboxSockets } from './egress.ts'
import { forward } from './forward.ts'
import { createGate } from './gate.ts'
import { createLearnt } from './learnt.ts'
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
  readonly policyFor: (networks: readonly string[]) => AddressPolicy
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
  /** Ends all connections, gives up the sockets, and sends what was not told yet. May be called twice. */
  close(): void
}

/** Serves a sandbox, until it floods this process with connections: then it is closed, and says so. @throws when a socket cannot be used */
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
  const learnt = rules.learnt && { names: rules.learnt.names, addresses: createLearnt(rules.learnt, building) }
  const reach = createReach({ ...building, trust: rules.trust, learnt: learnt ?? null, connectMs: limits.connectMs })
  const parts = { names, meter, reach, limits, denied: denials.add, connecting: createGate(limits.connecting) }
  const mine = new Set<Socket>()
  const newConnections = createTokenBucket(limits.connectionRate, limits.connectionBurst)
  const excess = createTokenBucket(limits.excessRate, limits.excessBurst)

  function accept(client: Socket, port: number): void {
    client.on('error', () => cut(client))
    const fits = mine.size < limits.connections
    const fitsAll = all.size < limits.totalConnections || mine.size < limits.connectionsAssured
    const inTime = newConnections.take()
    if (!inTime || !fits || !fitsAll || meter.spent()) {
      const address = client.localAddress ?? ''
      denials.add(names.nameAt(address) ?? address, port, 'limit')
      cut(client)
      if (!inTime && !excess.take()) shut()
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

  const servers: Server[] = []
  // A socket that fails later is its sandbox's loss, and nobody else's.
  const failed = (error: Error): void => console.error(`link ${link}: ${error.message}`)
  const dns = openDnsDoor(sockets.dns, { names, denials, limits, onError: failed })
  let closed = false
  const close = (): void => {
    if (closed) return
    closed = true
    dns.close()
    for (const server of servers) server.close()
    for (const client of mine) cut(client)
    denials.close()
    meter.close()
  }
  /** Refusing costs something, too, and accepting cannot be put off. Its own kernel refuses what it tries from here on. */
  const shut = (): void => {
    if (closed) return
    close()
    send({ is: 'shut', link })
  }
  const ready: Promise<unknown>[] = [dns.ready]
  try {
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
