import { createHmac } from 'node:crypto'
import { SkilletError } from '../model/errors.ts'

/** What makes a message a webhook (Standard Webhooks 1.0.0). A type, so that it fits any record of headers. */
export type WebhookHeaders = {
  readonly 'webhook-id': string
  readonly 'webhook-timestamp': string
  readonly 'webhook-signature': string
}

/**
 * Signs one attempt of a delivery.
 * @param secret `whsec_` and the base64 of 24 to 64 bytes.
 * @param id The same in every attempt.
 * @param timestamp Of this attempt, in seconds since 1970.
 * @throws SkilletError webhook_secret_invalid
 */
export function signWebhook(secret: string, id: string, timestamp: number, payload: string): WebhookHeaders {
  const hmac = createHmac('sha256', signingKey(secret)).update(`${id}.${timestamp}.${payload}`, 'utf8')
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': `v1,${hmac.digest('base64')}`,
  }
}

/** The bytes of a signing secret. @throws SkilletError webhook_secret_invalid, which never shows the value. */
export function signingKey(secret: string): Buffer {
  const coded = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : null
  if (coded === null) throw invalid(`does not begin with "${PREFIX}"`)
  const key = Buffer.from(coded, 'base64')
  // Node reads what it can of anything; receivers refuse what is not exact.
  if (key.toString('base64') !== coded) throw invalid(`does not go on with base64 after "${PREFIX}"`)
  if (key.length < 24 || key.length > 64) throw invalid(`holds ${key.length} bytes; 24 to 64 are needed`)
  return key
}

const PREFIX = 'whsec_'

function invalid(why: string): SkilletError {
  return new SkilletError('webhook_secret_invalid', `The value of the signing secret ${why}.`)
}
