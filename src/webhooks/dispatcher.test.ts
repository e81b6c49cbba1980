import { expect, test } from 'vitest'
import { ANY_ROOM } from '../backends/contract/webhook-fixtures.ts'
import { createAddressPolicy } from '../net/policy.ts'
import { openOutbox, over, until } from './fixtures/outbox.ts'
import { accept, hang, openSink, status, verify } from './fixtures/sink.ts'
import { createWebhookSender } from './send.ts'

test('what is in the outbox arrives, signed, and is delivered; what comes later too', async () => {
  await using sink = await openSink(accept)
  await using outbox = await openOutbox()
  const place = await outbox.hooked(sink.url, 2)
  const dispatcher = outbox.dispatcher()
  dispatcher.start()
  dispatcher.start()
  await sink.arrived(2)
  await outbox.succeed(place, 1)
  const received = await sink.arrived(3)
  const all = await until(outbox, place, over)
  const ids = received.map(({ headers }) => String(headers['webhook-id']))
  expect(all.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
  const secret = outbox.secrets.get(place.secret.id)!
  for (const message of received) {
    const payload = verify(secret, message)
    expect(payload).toMatchObject({ type: 'run.succeeded', timestamp: expect.any(String) })
    const delivery = all.find(({ id }) => id === message.headers['webhook-id'])!
    const stored = await outbox.engine.webhooks.findDelivery(place.tenant, delivery.id)
    expect([message.path, message.body]).toEqual(['/hooks', stored!.payload])
    expect(delivery).toMatchObject({ status: 'delivered', attempts: [{ status: 204, error: null }] })
  }
  await dispatcher.stop()
  await dispatcher.stop()
  dispatcher.start()
  await outbox.succeed(place, 1)
  expect((await outbox.deliveries(place))[0]!.status).toBe('pending')
  expect(outbox.errors).toEqual([])
})

test('an endpoint that never answers delays nobody else, however many wait for it', async () => {
  await using slow = await openSink(hang)
  await using fast = await openSink(accept)
  await using outbox = await openOutbox()
  const stuck = await outbox.hooked(slow.url, 1000)
  const sister = await outbox.hooked(fast.url, 40, stuck.tenant, 'sister')
  const other = await outbox.hooked(fast.url, 40)
  const dispatcher = outbox.dispatcher()
  dispatcher.start()
  await slow.arrived(4)
  await fast.arrived(80)
  await until(outbox, sister, over)
  await until(outbox, other, over)
  // All the while: four are being sent, the others wait.
  expect(slow.received).toHaveLength(4)
  await dispatcher.stop()
  const waiting = await outbox.deliveries(stuck)
  expect(waiting.every(({ status: is, attempts }) => is === 'pending' && attempts.length === 0)).toBe(true)
  expect(outbox.errors).toEqual([])
})

test('an answer that is no success is followed by another attempt under the same id', async () => {
  await using sink = await openSink((response, n) => (n === 0 ? status(500)(response) : accept(response)))
  await using outbox = await openOutbox()
  const place = await outbox.hooked(sink.url, 1)
  outbox.dispatcher().start()
  const [delivery] = await until(outbox, place, over)
  expect(delivery).toMatchObject({ status: 'delivered', attempts: [{ status: 500 }, { status: 204 }] })
  const secret = outbox.secrets.get(place.secret.id)!
  expect(sink.received.map((message) => [message.headers['webhook-id'], verify(secret, message)])).toEqual(
    Array.from({ length: 2 }, () => [delivery!.id, JSON.parse(sink.received[0]!.body)]),
  )
  expect(await outbox.engine.webhooks.findWebhook(place.tenant, place.stage.id)).toMatchObject({ failing_since: null })
})

test('as long as an endpoint asks for is waited', async () => {
  await using sink = await openSink(status(503, { 'retry-after': '3600' }))
  await using outbox = await openOutbox()
  const place = await outbox.hooked(sink.url, 1)
  const policy = createAddressPolicy({ networks: ['127.0.0.0/8'], own: () => null })
  const began = Date.now()
  outbox.dispatcher({ sender: createWebhookSender({ policy, version: 'test', random: () => 0 }) }).start()
  const [delivery] = await until(outbox, place, ([one]) => one!.attempts.length === 1)
  expect(Date.parse(delivery!.next_attempt_at!) - began).toBeGreaterThanOrEqual(3_600_000)
  expect(delivery).toMatchObject({ status: 'pending', attempts: [{ status: 503 }] })
})

test('an endpoint that is gone ends its webhook, and what waits for it', async () => {
  await using sink = await openSink(status(410))
  await using outbox = await openOutbox()
  const place = await outbox.hooked(sink.url, 20)
  outbox.dispatcher().start()
  const all = await until(outbox, place, over)
  expect(await outbox.engine.webhooks.findWebhook(place.tenant, place.stage.id)).toMatchObject({
    enabled: false,
    disabled_reason: 'gone',
  })
  // Four are sent at once: the end of one may be written down before the answers to the others come, or after.
  const failed = all.filter(({ status: is }) => is === 'failed').length
  expect(failed).toBeOneOf([1, 2, 3, 4])
  expect(all.filter(({ reason }) => reason === 'gone')).toHaveLength(20 - failed)
  expect(sink.received.length).toBeLessThanOrEqual(4)
})

test('an endpoint that has failed for five days is given up', async () => {
  await using sink = await openSink(status(500))
  await using outbox = await openOutbox()
  const place = await outbox.hooked(sink.url, 2)
  const { webhooks } = outbox.engine
  const [first] = await webhooks.takeDeliveries(1, 60_000, ANY_ROOM)
  const at = new Date(Date.now() - 5 * 86_400_000).toISOString()
  await webhooks.finishAttempt(
    first!.delivery.id,
    first!.token,
    { at, ms: 1, status: 500, error: null },
    { status: 'failed', revision: 1 },
  )
  outbox.dispatcher().start()
  await until(outbox, place, over)
  const webhook = await webhooks.findWebhook(place.tenant, place.stage.id)
  expect(webhook).toMatchObject({ enabled: false, disabled_reason: 'failing', failing_since: at })
})

test('what is being sent when it stops may end; what does not is due again, and sent under the same id', async () => {
  const held: (() => void)[] = []
  await using sink = await openSink((response) => held.push(() => accept(response)))
  await using outbox = await openOutbox()
  const place = await outbox.hooked(sink.url, 1)
  const patient = outbox.dispatcher({}, 60_000)
  patient.start()
  await sink.arrived(1)
  const stopping = patient.stop()
  held[0]!()
  await stopping
  expect(await outbox.deliveries(place)).toMatchObject([{ status: 'delivered' }])

  await outbox.succeed(place, 1)
  const hasty = outbox.dispatcher({}, 0)
  hasty.start()
  await sink.arrived(2)
  await hasty.stop()
  const [given] = await outbox.deliveries(place)
  expect(given).toMatchObject({ status: 'pending', attempts: [] })
  expect(Date.parse(given!.next_attempt_at!)).toBeLessThanOrEqual(Date.now())
  outbox.dispatcher().start()
  const [, second, third] = await sink.arrived(3)
  held[2]!()
  expect(third!.headers['webhook-id']).toBe(second!.headers['webhook-id'])
  await until(outbox, place, over)
  expect(outbox.errors).toEqual([])
})
