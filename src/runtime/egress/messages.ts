import { z } from 'zod'
import { DENIAL_REASONS, type EgressRules } from './egress.ts'
import type { EgressLimits } from './limits.ts'

/** What the server says to the process that forwards; `link` is the number of a sandbox. */
export type ToEgress =
  | {
      readonly do: 'configure'
      readonly networks: readonly string[]
      readonly dnsServers: readonly string[] | null
      readonly limits: EgressLimits
    }
  /** Comes with a socket of the sandbox. A null port: the one of the DNS. */
  | { readonly do: 'take'; readonly link: number; readonly port: number | null }
  /** The last socket was sent: serve. `sockets` is how many there were, `own` is where the server listens. */
  | {
      readonly do: 'serve'
      readonly link: number
      readonly sockets: number
      readonly rules: EgressRules
      readonly own: Listening | null
    }
  | { readonly do: 'tell'; readonly link: number }
  | { readonly do: 'close'; readonly link: number }
  | { readonly do: 'ping' }

export interface Listening {
  readonly address: string
  readonly port: number
}

const count = z.int().min(0)
const link = count

/** What it answers. It reads what tenants send, so that its word is checked, too. */
export const FromEgress = z.discriminatedUnion('is', [
  z.object({ is: z.literal('serving'), link }),
  z.object({ is: z.literal('failed'), link, message: z.string().max(1000) }),
  z.object({
    is: z.literal('denied'),
    link,
    host: z.string().max(253),
    port: count.max(65_535).nullable(),
    why: z.enum(DENIAL_REASONS),
    times: count.min(1),
  }),
  z.object({ is: z.literal('traffic'), link, connections: count, bytes_out: count, bytes_in: count }),
  /** It was too much for this process: nothing of this sandbox goes through any more. */
  z.object({ is: z.literal('shut'), link }),
  /** Everything until `tell` has been told. */
  z.object({ is: z.literal('told'), link }),
  z.object({ is: z.literal('closed'), link }),
  /** To `ping`. */
  z.object({ is: z.literal('alive') }),
])
export type FromEgress = z.infer<typeof FromEgress>
