import type { DeliveryClaim, WebhookStore } from '../backends/flow-ports.ts'
import { Pulse } from '../model/pulse.ts'
import { type DeliverParts, createDeliver } from './deliver.ts'
import { createPlaces } from './places.ts'

export interface DispatcherParts extends DeliverParts {
  readonly webhooks: DeliverParts['webhooks'] &
    Pick<WebhookStore, 'takeDeliveries' | 'nextDelivery' | 'watchDeliveries'>
}

export interface DispatcherOptions {
  /** How long `stop` lets what is being sent end, in milliseconds. Default 5,000. */
  readonly graceMs?: number | undefined
}

/** Sends what the outbox holds. Both verbs may be called twice. */
export interface Dispatcher {
  start(): void
  /** Takes nothing more. What is still being sent after the grace period is given up and due again. */
  stop(): Promise<void>
  /** For /readyz. @throws NotReady while nothing is taken. */
  check(): void
}

/** Longer than a send may take (LIMITS.webhookSeconds) and its end needs to be written down. */
const LEASE_MS = 60_000
/** Clock steps and lost hints: look at least this often, in milliseconds. */
const LOOK_AGAIN_MS = 30_000
/** After an error of ours, wait before the next look, in milliseconds. */
const RECOVER_MS = 1000

/**
 * One loop for all endpoints: never more than one take under way, never one for nothing, and never a wake-up lost. Endpoints and tenants
 * have places of their own, so that slow ones stand in their own way alone.
 */
export function createDispatcher(parts: DispatcherParts, { graceMs = 5000 }: DispatcherOptions = {}): Dispatcher {
  const { webhooks, onError } = parts
  const giveUp = new AbortController()
  const deliver = createDeliver(parts, giveUp.signal)
  const places = createPlaces()
  const pulse = new Pulse('Taking deliveries of webhooks')
  const underWay = new Set<Promise<void>>()
  let taking: Promise<void> | null = null
  /** Whether something may be due: set by hints and timers, cleared when a take looks. */
  let stirred = false
  let timer: NodeJS.Timeout | null = null
  let unwatch: (() => void) | null = null
  let stopped: Promise<void> | null = null

  function wake(): void {
    stirred = true
    pump()
  }

  function pump(): void {
    if (stopped !== null || unwatch === null || taking !== null || !stirred || places.free() <= 0) return
    stirred = false
    taking = pulse
      .during(take())
      .catch((error: unknown) => {
        onError(error, 'taking deliveries')
        lookAgain(RECOVER_MS)
      })
      .then(() => {
        taking = null
        pump()
      })
  }

  async function take(): Promise<void> {
    const free = places.free()
    const claims = await webhooks.takeDeliveries(free, LEASE_MS, places)
    for (const claim of claims) begin(claim)
    if (claims.length === free) stirred = true
    else await sleep()
  }

  function begin(claim: DeliveryClaim): void {
    places.take(claim.delivery)
    const sent = deliver(claim).then(() => {
      underWay.delete(sent)
      // Where a place was missing, something may have been passed over.
      if (places.leave(claim.delivery)) stirred = true
      pump()
    })
    underWay.add(sent)
  }

  /** Nothing more is due: look again when something will be. */
  async function sleep(): Promise<void> {
    const next = await webhooks.nextDelivery(places)
    lookAgain(next === null ? LOOK_AGAIN_MS : Math.min(Math.max(next - Date.now(), 1), LOOK_AGAIN_MS))
  }

  function lookAgain(ms: number): void {
    if (timer !== null) clearTimeout(timer)
    if (stopped === null) timer = setTimeout(wake, ms).unref()
  }

  async function end(): Promise<void> {
    pulse.stop()
    unwatch?.()
    if (timer !== null) clearTimeout(timer)
    await taking
    const late = setTimeout(() => giveUp.abort(), graceMs)
    await Promise.all(underWay)
    clearTimeout(late)
  }

  return {
    start() {
      if (unwatch !== null || stopped !== null) return
      pulse.start()
      unwatch = webhooks.watchDeliveries(wake)
      wake()
    },
    stop: () => (stopped ??= end()),
    check: () => pulse.check(),
  }
}
