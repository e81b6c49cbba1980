import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Denials } from './denials.ts'
import { answerQuery } from './dns-answer.ts'
import type { EgressLimits } from './limits.ts'
import type { Names } from './names.ts'
import { createTokenBucket } from './token-bucket.ts'

/** Where the queries of one sandbox are answered. */
export interface DnsDoor {
  /** Resolves when it serves. @throws when the socket cannot be used */
  readonly ready: Promise<unknown>
  close(): void
}

/**
 * Answers what a sandbox asks, as fast as it may ask. What is faster is not read for a moment: what does not fit into the socket meanwhile
 * is dropped by the kernel, on the time of the sandbox.
 * @param onError A socket that fails later is its sandbox's loss, and nobody else's.
 */
export function openDnsDoor(
  handle: unknown,
  parts: {
    readonly names: Names
    readonly denials: Pick<Denials, 'add'>
    readonly limits: Pick<EgressLimits, 'queryRate'>
    readonly onError: (error: Error) => void
  },
): DnsDoor {
  const { names, denials, limits, onError } = parts
  const queries = createTokenBucket(limits.queryRate, limits.queryRate * 2)
  const dns = createSocket('udp4')
  let resting: NodeJS.Timeout | null = null

  function answer(packet: Buffer): Buffer | null {
    return answerQuery(packet, (name, wantsAddress) => {
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
  }

  /** Node's sockets cannot be paused; what is under them can. */
  function rest(): void {
    if (resting !== null) return
    ;(handle as Handle).recvStop()
    resting = setTimeout(
      () => {
        resting = null
        ;(handle as Handle).recvStart()
      },
      Math.max(REST_MS, queries.wait()),
    )
  }

  dns.on('message', (packet, from) => {
    if (!queries.take()) {
      denials.add('(queries)', null, 'limit')
      return rest()
    }
    // Nobody can be answered there, and trying to is a fault.
    if (from.port === 0) return
    const said = answer(packet)
    // Who does not wait for its answer has none: there is nobody to tell.
    if (said !== null) dns.send(said, from.port, from.address, () => undefined)
  })
  const ready = once(dns, 'listening')
  try {
    dns.on('error', onError).bind(handle as { fd: number })
  } catch (error) {
    ready.catch(() => undefined)
    dns.close()
    throw error
  }
  return {
    ready,
    close() {
      if (resting !== null) clearTimeout(resting)
      dns.close()
    },
  }
}

/** As Node's channel delivers it. */
interface Handle {
  recvStart(): number
  recvStop(): number
}

/** So much comes together that reading it is worth it. */
const REST_MS = 50
