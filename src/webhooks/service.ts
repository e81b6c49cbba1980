import type { Engine } from '../backends/ports.ts'
import type { Page } from '../model/page.ts'
import type { Caller } from '../model/access.ts'
import { noteOf } from '../model/audit.ts'
import { SkilletError, notFound } from '../model/errors.ts'
import { now } from '../model/json.ts'
import type { Secret } from '../model/secrets.ts'
import type { Stage } from '../model/skills.ts'
import type { Delivery, Webhook, WebhookPayload, WebhookSpec } from '../model/webhooks.ts'
import { secretNamed } from './secret-path.ts'

/** Where stages tell of what happens on them, and what became of that. */
export interface WebhooksService {
  /** One a stage. Which secret is kept as its id. @throws SkilletError not_found, secret_unknown, webhook_secret_invalid, webhook_target_refused, webhook_changed */
  put(
    caller: Caller,
    skill: string,
    stage: string,
    spec: WebhookSpec & { readonly revision?: number | undefined },
  ): Promise<Webhook>
  /** @throws SkilletError not_found */
  find(tenant: string, skill: string, stage: string): Promise<Webhook>
  /** @throws SkilletError not_found */
  remove(caller: Caller, skill: string, stage: string): Promise<void>
  /** Newest first. */
  deliveries(tenant: string, filter: Parameters<Engine['webhooks']['listDeliveries']>[1]): Promise<Page<Delivery>>
  /** @throws SkilletError not_found */
  delivery(tenant: string, id: string): Promise<Delivery & { readonly payload: WebhookPayload }>
  /** @throws SkilletError not_found, not_redeliverable */
  redeliver(caller: Caller, id: string): Promise<Delivery>
}

/** What the service needs of other rooms. */
export interface WebhookParts {
  readonly engine: Pick<Engine, 'skills' | 'webhooks'>
  /** By id or name. @throws SkilletError not_found */
  readonly findSecret: (tenant: string, idOrName: string) => Promise<Secret>
  /** @throws SkilletError webhook_secret_invalid; secret_unknown, vault_unavailable */
  readonly requireSigningSecret: (secret: Secret) => Promise<void>
  /** @throws SkilletError webhook_target_refused */
  readonly requireTarget: (url: string) => Promise<void>
}

export function createWebhooksService(parts: WebhookParts): WebhooksService {
  const { findSecret, requireSigningSecret, requireTarget } = parts
  const { skills, webhooks } = parts.engine

  async function findStage(tenant: string, skillName: string, stageName: string): Promise<Stage> {
    const skill = await skills.findSkill(tenant, skillName)
    if (skill === null) throw notFound('skill', skillName)
    const stage = await skills.findStage(tenant, skill.id, stageName)
    if (stage === null) throw notFound('stage', `${skillName}/${stageName}`)
    return stage
  }

  /** @throws SkilletError secret_unknown */
  async function secretOf(tenant: string, reference: string): Promise<Secret> {
    const unknown = new SkilletError('secret_unknown', `There is no secret "${reference}" in this tenant.`)
    const name = secretNamed(reference)
    const secret = await findSecret(tenant, name).catch((error: unknown) => {
      throw error instanceof SkilletError && error.code === 'not_found' ? unknown : error
    })
    // A path that names another tenant or installation leads nowhere, although its id may be known here.
    if (name !== reference && !reference.endsWith(secret.path)) throw unknown
    return secret
  }

  return {
    async put(caller, skillName, stageName, { revision, ...spec }) {
      const { tenant } = caller
      const stage = await findStage(tenant, skillName, stageName)
      const secret = await secretOf(tenant, spec.secret)
      await requireSigningSecret(secret)
      await requireTarget(spec.url)
      const at = now()
      const events = [...new Set(spec.events)]
      const { host } = new URL(spec.url)
      const detail = { host, secret: secret.id, events, enabled: spec.enabled }
      const note = noteOf(caller, 'webhook.put', { kind: 'webhook', id: stage.id }, detail)
      const webhook = { ...spec, events, tenant, skill: stage.skill, stage: stage.id, secret: secret.id }
      return webhooks.putWebhook({ ...webhook, created_by: caller.id, created_at: at, updated_at: at }, revision, note)
    },

    async find(tenant, skillName, stageName) {
      const stage = await findStage(tenant, skillName, stageName)
      const webhook = await webhooks.findWebhook(tenant, stage.id)
      if (webhook === null) throw notFound('webhook of stage', `${skillName}/${stageName}`)
      return webhook
    },

    async remove(caller, skillName, stageName) {
      const stage = await findStage(caller.tenant, skillName, stageName)
      const note = noteOf(caller, 'webhook.delete', { kind: 'webhook', id: stage.id })
      if (!(await webhooks.deleteWebhook(caller.tenant, stage.id, note))) {
        throw notFound('webhook of stage', `${skillName}/${stageName}`)
      }
    },

    deliveries: (tenant, filter) => webhooks.listDeliveries(tenant, filter),

    async delivery(tenant, id) {
      const found = await webhooks.findDelivery(tenant, id)
      if (found === null) throw notFound('delivery', id)
      return { ...found.delivery, payload: JSON.parse(found.payload) as WebhookPayload }
    },

    async redeliver(caller, id) {
      const note = noteOf(caller, 'delivery.redeliver', { kind: 'delivery', id })
      const delivery = await webhooks.redeliver(caller.tenant, id, note)
      if (delivery === null) throw notFound('delivery', id)
      return delivery
    },
  }
}
