import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { SkilletError } from '../model/errors.ts'
import { openOutbox, over, until } from './fixtures/outbox.ts'
import { accept, openSink } from './fixtures/sink.ts'

test.each([
  ['is gone', undefined, 'Not sent. The signing secret is not there any more.'],
  ['is none that can sign', 'whsec_short', expect.stringMatching(/^Not sent\. The value of the signing secret /)],
  ['is another word', 'hunter2', expect.stringMatching(/^Not sent\. The value of the signing secret /)],
])('a secret that %s: nothing is sent, and that is told', async (_, value, error) => {
  await using sink = await openSink(accept)
  await using outbox = await openOutbox()
  const place = await outbox.hooked(sink.url, 1)
  outbox.secrets.delete(place.secret.id)
  if (value !== undefined) outbox.secrets.set(place.secret.id, value)
  outbox.dispatcher().start()
  const [delivery] = await until(outbox, place, over)
  expect(delivery).toMatchObject({ status: 'rejected', attempts: [{ status: null, error }] })
  expect(JSON.stringify(delivery)).not.toContain('hunter2')
  expect(sink.received).toEqual([])
  expect(await outbox.engine.webhooks.findWebhook(place.tenant, place.stage.id)).toMatchObject({ enabled: true })
})

test('a place that may not be reached is never tried, although it was allowed when it was configured', async () => {
  await using outbox = await openOutbox()
  const place = await outbox.hooked('http://169.254.169.254/latest/meta-data', 1)
  outbox.dispatcher().start()
  const [delivery] = await until(outbox, place, over)
  expect(delivery).toMatchObject({
    status: 'rejected',
    attempts: [{ status: null, error: expect.stringMatching(/^Not sent\./) }],
  })
})

test('a vault that does not answer is a fault of ours: nothing is rejected, nothing counts as tried', async () => {
  await using sink = await openSink(accept)
  await using outbox = await openOutbox()
  const place = await outbox.hooked(sink.url, 1)
  const shut = new SkilletError('vault_unavailable', 'The vault does not answer.')
  const dispatcher = outbox.dispatcher({ secretOf: () => Promise.reject(shut) })
  dispatcher.start()
  const [delivery] = await until(outbox, place, () => outbox.errors.length > 0)
  expect(outbox.errors).toEqual([shut])
  expect(delivery).toMatchObject({ status: 'pending', attempts: [] })
  await dispatcher.stop()
  const webhook = await outbox.engine.webhooks.findWebhook(place.tenant, place.stage.id)
  expect(webhook).toMatchObject({ failing_since: null })
  expect(sink.received).toEqual([])
})

test('a state that cannot be written is told, and nothing that was in it is lost', async () => {
  await using sink = await openSink(accept)
  await using outbox = await openOutbox()
  const place = await outbox.hooked(sink.url, 1)
  const disk = new DatabaseSync(outbox.file)
  disk.exec(`CREATE TRIGGER full BEFORE UPDATE ON deliveries BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`)
  outbox.dispatcher().start()
  await until(outbox, place, () => outbox.errors.length > 0)
  expect(sink.received).toEqual([])
  disk.exec('DROP TRIGGER full')
  disk.close()
  expect(await until(outbox, place, over)).toMatchObject([{ status: 'delivered' }])
  // Each look a second after the one before.
  expect(outbox.errors.length).toBeLessThan(5)
})
