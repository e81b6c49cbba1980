import type { AttemptEnd } from '../backends/flow-ports.ts'
import { LIMITS } from '../model/sizes.ts'

/** What follows from an attempt; with the webhook's revision it is what the outbox is told. */
export type Verdict = Omit<AttemptEnd, 'revision'>

/** How an attempt went. */
export type Outcome =
  | { readonly kind: 'answer'; readonly status: number; readonly retryAfter: string | null }
  /** No answer came: the network, TLS, the time. */
  | { readonly kind: 'none' }
  /** Nothing was sent: it could not be signed, or its target may not be reached. */
  | { readonly kind: 'refused' }

export interface Situation {
  /** Which attempt it was, from 1. */
  readonly attempt: number
  /** When it ended, in milliseconds since 1970. */
  readonly at: number
  /** Since when no attempt of the webhook succeeded. */
  readonly failingSince: string | null
  /** From 0 to 1. Default: Math.random. */
  readonly random?: (() => number) | undefined
}

/**
 * Decides by Standard Webhooks 1.0.0: only 2xx is success, redirects are failures, 410 ends the webhook, everything else is tried again.
 * `Retry-After` makes a wait longer, never shorter.
 */
export function decide(outcome: Outcome, { attempt, at, failingSince, random = Math.random }: Situation): Verdict {
  if (outcome.kind === 'refused') return { status: 'rejected' }
  if (outcome.kind === 'answer') {
    if (outcome.status >= 200 && outcome.status < 300) return { status: 'delivered' }
    if (outcome.status === 410) return { status: 'failed', disable: 'gone' }
  }
  if (failingSince !== null && at - Date.parse(failingSince) >= LIMITS.webhookFailingDays * DAY_MS)
    return { status: 'failed', disable: 'failing' }
  const wait = WAITS_MS[attempt - 1]
  if (wait === undefined) return { status: 'failed' }
  const asked = outcome.kind === 'answer' ? retryAfterMs(outcome.retryAfter, at) : 0
  // Asked-for waits are only made longer: whoever names a time wants nobody before it.
  const jittered = Math.max(wait * (1 - JITTER + 2 * JITTER * random()), asked * (1 + JITTER * random()))
  return { status: 'pending', retryAt: at + Math.round(Math.min(jittered, DAY_MS)) }
}

/**
 * Seconds, or a date (RFC 9110, 10.2.3), as milliseconds from now; at most a day.
 * What cannot be read or lies in the past is 0.
 */
export function retryAfterMs(value: string | null, at: number): number {
  const text = value?.trim() ?? ''
  const ms = /^\d{1,15}$/.test(text) ? Number(text) * 1000 : /^[A-Z][a-z]{2}/.test(text) ? Date.parse(text) - at : 0
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(ms, 0), DAY_MS)
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** How long after attempt 1, 2, ... the next one comes (the standard's example): eight attempts in 31 hours. */
export const WAITS_MS: readonly number[] = [
  5000,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
]

/** Waits differ by up to this part of themselves, so that what failed together does not come back together. */
const JITTER = 0.2
