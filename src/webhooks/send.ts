import type { DeliveryAttempt, Webhook } from '../model/webhooks.ts'
import { SkilletError } from '../model/errors.ts'
import { now } from '../model/json.ts'
import { LIMITS } from '../model/sizes.ts'
import type { AddressPolicy } from '../net/policy.ts'
import { sendPinned } from '../net/request.ts'
import { RequestFailed } from '../net/request-failed.ts'
import { type ResolveOptions, resolveTarget } from '../net/resolve.ts'
import { TargetRefused, parseTarget } from '../net/target.ts'
import { signWebhook } from './sign.ts'
import { type Outcome, type Verdict, decide } from './verdict.ts'

export interface WebhookSenderOptions {
  readonly policy: AddressPolicy
  /** Of Skillet, for the User-Agent. */
  readonly version: string
  /** For one attempt: DNS, TLS and answer together, in milliseconds. Default: LIMITS.webhookSeconds. */
  readonly timeoutMs?: number | undefined
  /** DNS servers, as `address` or `address:port`. Default: the machine's. */
  readonly servers?: readonly string[] | undefined
  /** From 0 to 1, spreads retries. Default: Math.random. */
  readonly random?: (() => number) | undefined
}

/** One delivery as it is sent this time. */
export interface Message {
  readonly webhook: Pick<Webhook, 'url' | 'failing_since'>
  /** Of the delivery: the `webhook-id`. */
  readonly id: string
  /** JSON text. */
  readonly payload: string
  /** Value of the signing secret. */
  readonly secret: string
  /** Which attempt this is, from 1. */
  readonly attempt: number
  /** Gives the attempt up. */
  readonly signal?: AbortSignal | undefined
}

export interface Attempted {
  readonly attempt: DeliveryAttempt
  readonly verdict: Verdict
}

export interface WebhookSender {
  /** Whether a URL may be configured: as each delivery checks it again. @throws SkilletError webhook_target_refused */
  check(url: string, signal?: AbortSignal): Promise<void>
  /** Never rejects for what the endpoint or the network does. @throws the signal's reason, when it is given up; nothing counts then. */
  attempt(message: Message): Promise<Attempted>
}

/** Sends signed messages to where tenants want them, if that is a place to which this server talks. */
export function createWebhookSender(options: WebhookSenderOptions): WebhookSender {
  const { policy, version, random, timeoutMs = LIMITS.webhookSeconds * 1000 } = options
  const resolving: ResolveOptions = options.servers === undefined ? {} : { servers: options.servers }
  return {
    async check(url, signal) {
      try {
        await resolveTarget(parseTarget(url, policy), policy, { ...resolving, signal })
      } catch (error) {
        if (!(error instanceof TargetRefused || error instanceof RequestFailed)) throw error
        throw new SkilletError('webhook_target_refused', `No webhook may be sent to that URL. ${error.message}`, {
          cause: error,
        })
      }
    },

    async attempt({ webhook, id, payload, secret, attempt, signal }) {
      const started = Date.now()
      const begun = performance.now()
      const { outcome, error } = await outcomeOf(async () => {
        // What cannot be signed or may not be reached is not sent: both are known before anything is.
        const headers = signWebhook(secret, id, Math.floor(started / 1000), payload)
        return await sendPinned(parseTarget(webhook.url, policy), policy, {
          ...resolving,
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json', 'user-agent': `Skillet/${version} (+webhooks)` },
          body: payload,
          timeoutMs,
          signal,
        })
      })
      // The clock may be set meanwhile; how long it took is measured by one that is not.
      const ms = Math.round(performance.now() - begun)
      return {
        attempt: {
          at: now(started),
          ms,
          status: outcome.kind === 'answer' ? outcome.status : null,
          error,
        },
        verdict: decide(outcome, { attempt, at: started + ms, failingSince: webhook.failing_since, random }),
      }
    },
  }
}

/** An attempt at which nothing was sent, for a reason that is for people. */
export function rejected(why: string, at: number = Date.now()): Attempted {
  return { attempt: { at: now(at), ms: 0, status: null, error: why }, verdict: { status: 'rejected' } }
}

async function outcomeOf(
  send: () => ReturnType<typeof sendPinned>,
): Promise<{ readonly outcome: Outcome; readonly error: string | null }> {
  try {
    const { status, retryAfter, body } = await send()
    return { outcome: { kind: 'answer', status, retryAfter }, error: complaint(status, body) }
  } catch (error) {
    if (error instanceof RequestFailed) return { outcome: { kind: 'none' }, error: error.message }
    const refused =
      error instanceof TargetRefused || (error instanceof SkilletError && error.code === 'webhook_secret_invalid')
    if (refused) return { outcome: { kind: 'refused' }, error: `Not sent. ${error.message}` }
    throw error
  }
}

/** What an answer that is no success said, so that its owner sees what is wrong. */
function complaint(status: number, body: string): string | null {
  if (status >= 200 && status < 300) return null
  const words = body.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim()
  const quoted = words === '' ? '' : ` and the words "${words.slice(0, 200).toWellFormed()}"`
  const why = status >= 300 && status < 400 ? '; redirects are not followed, give the address where it leads' : ''
  return `It answered with the status ${status}${quoted}${why}.`
}
