import type { Socket } from 'node:net'
import type { DenialReason } from './egress.ts'
import { firstWords } from './first-words.ts'
import type { Gate } from './gate.ts'
import type { EgressLimits } from './limits.ts'
import type { Meter } from './meter.ts'
import type { Names } from './names.ts'
import type { Reach } from './reach.ts'
import { Refused } from './refused.ts'
import { cut, pump, tie } from './splice.ts'

/** What a connection has to do with its sandbox. */
export interface ForwardParts {
  readonly names: Names
  readonly reach: Reach
  readonly meter: Meter
  /** Those that are dialed at once. */
  readonly connecting: Gate
  readonly limits: Pick<EgressLimits, 'helloMs' | 'idleMs'>
  denied(host: string, port: number, why: DenialReason): void
}

/**
 * Takes one connection of a sandbox to where it is meant to go. The address that it was made to stands for a name, and nothing else does.
 * At port 443 nobody is dialed before TLS for that very name has begun; elsewhere servers may speak first, and TLS for
 * another name goes no further. What was accepted always ends here: nothing is thrown.
 * @param client Paused.
 */
export async function forward(client: Socket, port: number, parts: ForwardParts): Promise<void> {
  const { names, reach, meter, connecting, limits } = parts
  const address = client.localAddress ?? ''
  const name = names.nameAt(address)
  const gone = new AbortController()
  client.once('close', () => gone.abort(new Error('The client has gone.')))
  client.setTimeout(limits.idleMs, () => cut(client))
  // Told before the client can notice: who waits for its end may then ask what was refused.
  const refuse = (why: DenialReason): void => {
    if (client.destroyed) return
    parts.denied(name ?? address, port, why)
    cut(client)
  }
  const heard = async (tls: boolean): Promise<Buffer> => {
    const { bytes, hello } = await firstWords(client, { tls, timeoutMs: limits.helloMs })
    const other = hello !== null && hello.serverName !== name
    if (other && (tls || hello.serverName !== null)) throw new Refused('server_name')
    return bytes
  }
  const onSpent = (): void => refuse('limit')

  try {
    if (name === null) throw new Refused('literal')
    if (!names.allows(name, port)) throw new Refused('port')
    const secured = port === TLS_PORT
    let words: Buffer | null = null
    const leave = await connecting.enter(gone.signal)
    let server: Socket
    try {
      if (secured) words = await heard(true)
      // It came to look whether somebody is there.
      if (words?.length === 0) return client.destroySoon()
      server = await reach(name, port, gone.signal)
    } finally {
      leave()
    }
    tie(client, server)
    meter.connected()
    pump(server, client, { meter, direction: 'in', onSpent })
    words ??= await heard(false)
    if (words.length > 0) {
      if (meter.count('out', words.length) === null) throw new Refused('limit')
      server.write(words)
    }
    pump(client, server, { meter, direction: 'out', onSpent })
  } catch (error) {
    if (error instanceof Refused) refuse(error.why)
    else {
      // Who has gone needs nothing any more; anything else is a fault of ours.
      if (!client.destroyed) console.error(error)
      cut(client)
    }
  }
}

const TLS_PORT = 443
