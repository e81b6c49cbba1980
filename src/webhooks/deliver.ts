import type { DeliveryClaim, WebhookStore } from '../backends/flow-ports.ts'
import { SkilletError } from '../model/errors.ts'
import type { DeliveryAttempt } from '../model/webhooks.ts'
import { type WebhookSender, rejected } from './send.ts'
import type { Verdict } from './verdict.ts'

export interface DeliverParts {
  readonly webhooks: Pick<WebhookStore, 'finishAttempt'>
  readonly sender: Pick<WebhookSender, 'attempt'>
  /** The value of a tenant's secret. @throws SkilletError secret_unknown; anything else is a fault of ours */
  readonly secretOf: (tenant: string, id: string) => Promise<string>
  /** Told of each attempt: `delivered`, `retried`, `failed` or `rejected`, and how long it took. */
  readonly attempted?: ((outcome: string, ms: number) => void) | undefined
  readonly onError: (error: unknown, doing: string) => void
}

/** After a fault of ours a delivery waits so long, in milliseconds; it does not count as tried. */
const FAULT_MS = 30_000

/** What is written down of an attempt; `attempt` is null when nothing was tried. */
interface Written {
  readonly attempt: DeliveryAttempt | null
  readonly verdict: Verdict
}

/**
 * From a claim to what is written down of it. Never rejects: faults of ours are told, and the delivery comes back by itself.
 * @param giveUp Aborted when the server cannot wait any longer: what is being sent then is due again at once.
 */
export function createDeliver(
  { webhooks, sender, secretOf, attempted, onError }: DeliverParts,
  giveUp: AbortSignal,
): (claim: DeliveryClaim) => Promise<void> {
  async function send({ delivery: { id, tenant }, attempt, webhook, payload }: DeliveryClaim): Promise<Written> {
    let secret: string
    try {
      secret = await secretOf(tenant, webhook.secret)
    } catch (error) {
      // What cannot be signed is not sent, ever. Only where the fault is ours there is something to wait for.
      if (!(error instanceof SkilletError && error.code === 'secret_unknown')) throw error
      return rejected('Not sent. The signing secret is not there any more.')
    }
    return sender.attempt({ webhook, id, payload, secret, attempt, signal: giveUp })
  }

  return async (claim) => {
    const { id } = claim.delivery
    const { revision } = claim.webhook
    const { attempt, verdict } = await send(claim).catch((error: unknown): Written => {
      const retryAt = giveUp.aborted ? Date.now() : Date.now() + FAULT_MS
      if (!giveUp.aborted) onError(error, `delivering ${id}`)
      return { attempt: null, verdict: { status: 'pending', retryAt } }
    })
    if (attempt !== null) attempted?.(verdict.status === 'pending' ? 'retried' : verdict.status, attempt.ms)
    try {
      await webhooks.finishAttempt(id, claim.token, attempt, { ...verdict, revision })
    } catch (error) {
      // The lease runs out and it is sent again: a message may come twice, under the same id.
      onError(error, `writing down what became of delivery ${id}`)
    }
  }
}
