import type { Engine } from '../backends/ports.ts'
import { LIMITS } from '../model/sizes.ts'
import { listensAt } from '../net/listens-at.ts'
import { createAddressPolicy } from '../net/policy.ts'
import { type Dispatcher, createDispatcher } from './dispatcher.ts'
import { createWebhookSender } from './send.ts'
import { type WebhookParts, type WebhooksService, createWebhooksService } from './service.ts'
import { signingKey } from './sign.ts'

/**
 * The webhooks of a server: what is asked of them, and what sends them.
 * @param parts.secretOf The value of a tenant's secret. @throws SkilletError secret_unknown, vault_unavailable
 * @param parts.networks Of the operator: where webhooks may go although it is not public. Default: none.
 * @param parts.dnsServers Default: the machine's.
 * @param parts.url Of this server itself, which is no target; empty: not yet known.
 * @param parts.version Of Skillet, for the User-Agent.
 * @throws NetworkListError
 */
export function openWebhooks(parts: {
  engine: Pick<Engine, 'skills' | 'webhooks'>
  findSecret: WebhookParts['findSecret']
  secretOf: (tenant: string, id: string) => Promise<string>
  networks?: readonly string[] | undefined
  dnsServers?: readonly string[] | undefined
  url: () => string
  version: string
  graceMs?: number | undefined
  attempted?: ((outcome: string, ms: number) => void) | undefined
  onError: (error: unknown, doing: string) => void
}): { webhooks: WebhooksService; dispatcher: Dispatcher } {
  const { engine, findSecret, secretOf, networks, dnsServers, url, version, graceMs, attempted, onError } = parts
  const sender = createWebhookSender({
    policy: createAddressPolicy({ networks, own: () => listensAt(url()) }),
    version,
    timeoutMs: LIMITS.webhookSeconds * 1000,
    servers: dnsServers,
  })
  return {
    webhooks: createWebhooksService({
      engine,
      findSecret,
      requireSigningSecret: async ({ tenant, id }) => void signingKey(await secretOf(tenant, id)),
      requireTarget: (target) => sender.check(target),
    }),
    dispatcher: createDispatcher({ webhooks: engine.webhooks, sender, secretOf, attempted, onError }, { graceMs }),
  }
}
