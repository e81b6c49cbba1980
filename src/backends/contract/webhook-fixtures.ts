import { newId } from '../../model/ids.ts'
import { now } from '../../model/json.ts'
import type { Secret } from '../../model/secrets.ts'
import type { DeliveryAttempt, Webhook } from '../../model/webhooks.ts'
import type { AttemptEnd, Room } from '../flow-ports.ts'
import type { Engine } from '../ports.ts'
import { LONG, type Place, SUCCEEDED, newNote, newRun, newTenant, settle } from './engine-fixtures.ts'

/** A place in a tenant of its own that has a secret. */
export interface HookedPlace extends Place {
  readonly secret: Secret
}

export async function hookedPlace(engine: Engine, tenant?: string, name: string = 'notes'): Promise<HookedPlace> {
  const { tenant: fresh, key, hash } = newTenant()
  if (tenant === undefined) await engine.access.createTenant(fresh, key, hash, null)
  const place = await settle(engine, tenant ?? fresh.id, name)
  return { ...place, secret: await newSecret(engine, place.tenant) }
}

export async function newSecret(engine: Engine, tenant: string): Promise<Secret> {
  const id = newId('secret')
  const secret: Secret = {
    id,
    tenant,
    name: id,
    kind: 'value',
    path: `agent-runner/test/tenant/${tenant}/secrets/${id}`,
    revision: 1,
    created_by: 'key_1',
    created_at: now(),
    updated_at: now(),
  }
  await engine.secrets.createSecret(secret, newNote(tenant, 'secret.create', id))
  return secret
}

type NewWebhook = Parameters<Engine['webhooks']['putWebhook']>[0]

export function newWebhook(
  { tenant, skill, stage, secret }: HookedPlace,
  change: Partial<NewWebhook> = {},
): NewWebhook {
  return {
    tenant,
    skill: skill.id,
    stage: stage.id,
    url: 'https://example.com/hooks?token=1',
    secret: secret.id,
    events: ['run.succeeded', 'run.cancelled'],
    enabled: true,
    created_by: 'key_1',
    created_at: now(),
    updated_at: now(),
    ...change,
  }
}

export function put(
  engine: Engine,
  place: HookedPlace,
  change: Partial<NewWebhook> = {},
  revision?: number,
): Promise<Webhook> {
  const note = newNote(place.tenant, 'webhook.put', place.stage.id)
  return engine.webhooks.putWebhook(newWebhook(place, change), revision, note)
}

/** Lets a run of the place succeed, so that there is a delivery if its webhook asks for that. @returns The run's id. */
export async function succeed({ runs }: Engine, place: Place): Promise<string> {
  const run = newRun(place)
  await runs.admit(run, 'default', newNote(place.tenant, 'run.invoke', run.id))
  const [claim] = await runs.take('default', 1, LONG)
  await runs.finish(run.id, claim!.token, SUCCEEDED)
  return run.id
}

export const ANY_ROOM: Room = { endpoint: () => 1000, tenant: () => 1000, full: () => [] }

export function newAttempt(change: Partial<DeliveryAttempt> = {}): DeliveryAttempt {
  return { at: now(), ms: 12, status: 200, error: null, ...change }
}

export const delivered = (revision: number = 1): AttemptEnd => ({ status: 'delivered', revision })
export const again = (retryAt: number, revision: number = 1): AttemptEnd => ({ status: 'pending', retryAt, revision })
