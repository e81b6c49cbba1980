import type { ServerResponse } from 'node:http'
import { LIMITS } from '../model/sizes.ts'
import { RateLimited } from './rate-limit.ts'
import { createShares } from './shares.ts'

/** Room in memory for the large bodies of requests, from when they are read, and of answers, until the client has taken the answer. */
export interface PayloadRoom {
  /** @param party Whose part of it is taken. @returns What gives it back. @throws RateLimited when its part, or all of it, is taken. */
  take(party: string, bytes: number): () => void
}

/** Of one request: @throws RateLimited. @param bytes Of its body or its answer, once each; a small one needs no room. */
export type Hold = (bytes: number) => void

/** What all connections together may hold of these is little enough. */
export const SMALL_BYTES = 2 ** 16

/** @param options.perParty Default LIMITS.tenantPayloadBytes. @param options.all Default LIMITS.payloadBytes. */
export function createPayloadRoom({
  perParty = LIMITS.tenantPayloadBytes,
  all = LIMITS.payloadBytes,
}: { readonly perParty?: number | undefined; readonly all?: number | undefined } = {}): PayloadRoom {
  const shares = createShares()

  return {
    take(party, bytes) {
      const [part, taken] = [shares.of(party), shares.all()]
      // What is alone has room: no limit makes a request impossible that another one allows.
      if (part > 0 && part + bytes > perParty) throw full('this tenant', perParty)
      if (taken > 0 && taken + bytes > all) throw full('all tenants', all)
      return shares.take(party, bytes)
    },
  }
}

const full = (whose: string, most: number): RateLimited =>
  new RateLimited(
    `Large requests and answers of ${whose} are under way, with no room for one more: at most ${most} bytes are held at once.`,
    { 'retry-after': '1' },
  )

/** @param outgoing Undefined when there is no socket: then nobody is waited for, and nothing is counted. */
export function holdFor(room: PayloadRoom, party: string, outgoing: ServerResponse | undefined): Hold {
  const taken: (() => void)[] = []
  return (bytes) => {
    // Who has left closes no second time.
    if (bytes <= SMALL_BYTES || outgoing === undefined || outgoing.destroyed) return
    const give = room.take(party, bytes)
    if (taken.length === 0) {
      outgoing.once('close', () => {
        for (const one of taken) one()
      })
    }
    taken.push(give)
  }
}
