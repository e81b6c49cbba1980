import { Webhook, WebhookVerificationError } from 'standardwebhooks'
import { expect, test } from 'vitest'
import { signWebhook, signingKey } from './sign.ts'

// The standard's own example.
const VECTOR = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestamp: 1614265330,
  payload: '{"test": 2432232314}',
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
}

test('the vector of Standard Webhooks', () => {
  expect(signWebhook(VECTOR.secret, VECTOR.id, VECTOR.timestamp, VECTOR.payload)).toEqual({
    'webhook-id': VECTOR.id,
    'webhook-timestamp': '1614265330',
    'webhook-signature': VECTOR.signature,
  })
})

test.each([24, 32, 64])(
  'the official library accepts what a secret of %i bytes signs, and nothing that was changed',
  (bytes) => {
    const secret = `whsec_${Buffer.alloc(bytes, 0xfb).toString('base64')}`
    const receiver = new Webhook(secret)
    const payload = JSON.stringify({ type: 'run.succeeded', data: { text: 'Grüße, 世界 🎉\n' } })
    const seconds = Math.floor(Date.now() / 1000)
    const headers = signWebhook(secret, 'dlv_1', seconds, payload)
    expect(receiver.verify(payload, { ...headers })).toEqual(JSON.parse(payload))

    const refused = (body: string, changed: Record<string, string>): void =>
      expect(() => receiver.verify(body, { ...headers, ...changed })).toThrow(WebhookVerificationError)
    refused(payload.replace('run', 'ran'), {})
    refused(payload, { 'webhook-id': 'dlv_2' })
    refused(payload, { 'webhook-timestamp': String(seconds + 1) })
    refused(payload, { 'webhook-signature': headers['webhook-signature'].replace('v1,', 'v1a,') })
    const other = signWebhook(VECTOR.secret, 'dlv_1', seconds, payload)
    refused(payload, other)
    // An old one, replayed.
    refused(payload, signWebhook(secret, 'dlv_1', seconds - 600, payload))
  },
)

test.each([
  ['', /does not begin with "whsec_"/],
  ['MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', /does not begin with "whsec_"/],
  ['whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', /does not begin with "whsec_"/],
  ['WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', /does not begin with "whsec_"/],
  ['whsec_', /holds 0 bytes/],
  [`whsec_${Buffer.alloc(23).toString('base64')}`, /holds 23 bytes/],
  [`whsec_${Buffer.alloc(65).toString('base64')}`, /holds 65 bytes/],
  ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n', /base64/],
  ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_', /base64/],
  [`whsec_${Buffer.alloc(25).toString('base64').replaceAll('=', '')}`, /base64/],
  ['whsec_not base64 but a pass phrase of some length', /base64/],
])('%j signs nothing, and the complaint does not show it', (secret, why) => {
  const sign = (): unknown => signWebhook(secret, 'dlv_1', 1, '{}')
  expect(sign).toThrow(expect.objectContaining({ code: 'webhook_secret_invalid', message: expect.stringMatching(why) }))
  const shown = secret.slice(6, 20)
  if (shown !== '') expect(sign).not.toThrow(shown)
})

test('the key is the bytes that were coded', () => {
  expect(signingKey(`whsec_${Buffer.alloc(24, 7).toString('base64')}`)).toEqual(Buffer.alloc(24, 7))
})
