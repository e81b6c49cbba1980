import { expect, test } from 'vitest'
import type { AttemptEnd, DeliveryClaim } from '../flow-ports.ts'
import type { Engine } from '../ports.ts'
import {
  ANY_ROOM,
  type HookedPlace,
  again,
  delivered,
  hookedPlace,
  newAttempt,
  put,
  succeed,
} from './webhook-fixtures.ts'

const LONG = 3_600_000

/** When a server gives an endpoint up. */
export function webhookDisableContract(engine: () => Engine): void {
  const finish = ({ delivery: { id }, token }: DeliveryClaim, status: number, end: AttemptEnd, at?: string) =>
    engine().webhooks.finishAttempt(id, token, newAttempt({ status, ...(at !== undefined && { at }) }), end)
  const find = async (place: HookedPlace) => (await engine().webhooks.findWebhook(place.tenant, place.stage.id))!
  const take = () => engine().webhooks.takeDeliveries(100, LONG, ANY_ROOM)
  const statuses = async ({ tenant }: HookedPlace) =>
    (await engine().webhooks.listDeliveries(tenant, { limit: 50 })).items.map(({ status, reason }) => [status, reason])

  async function hooked(deliveries: number): Promise<HookedPlace> {
    const place = await hookedPlace(engine())
    await put(engine(), place)
    for (let i = 0; i < deliveries; i++) await succeed(engine(), place)
    return place
  }

  test('it is remembered since when an endpoint fails, until an attempt succeeds', async () => {
    const place = await hooked(4)
    const [a, b, c, d] = await take()
    const [first, second] = ['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z']
    await finish(a!, 500, again(Date.now() + LONG), first)
    await finish(b!, 500, { status: 'failed', revision: 1 }, second)
    expect((await find(place)).failing_since).toBe(first)
    await finish(c!, 200, delivered())
    expect((await find(place)).failing_since).toBeNull()
    // It was not sent, so it says nothing about the endpoint.
    await finish(d!, 0, { status: 'rejected', revision: 1 })
    expect(await find(place)).toMatchObject({ failing_since: null, enabled: true, revision: 1 })
  })

  test.each(['gone', 'failing'] as const)(
    '%s: it is disabled, the rest cancelled, and that is told',
    async (reason) => {
      const place = await hooked(3)
      const { tenant, stage, skill } = place
      const [a] = await engine().webhooks.takeDeliveries(1, LONG, ANY_ROOM)
      let told = 0
      const cursor = await engine().activity.present(tenant)
      engine().activity.watchActivity(tenant, () => told++)
      await finish(a!, 410, { status: 'failed', revision: 1, disable: reason })
      expect(told).toBe(1)
      const webhook = await find(place)
      expect(webhook).toMatchObject({ enabled: false, disabled_reason: reason, revision: 2 })
      expect(await statuses(place)).toEqual([
        ['cancelled', reason],
        ['cancelled', reason],
        ['failed', null],
      ])
      await succeed(engine(), place)
      expect(await statuses(place)).toHaveLength(3)
      expect(await engine().webhooks.nextDelivery(ANY_ROOM)).toBeNull()

      const activity = await engine().activity.activity(tenant, cursor, 10)
      const events = activity.filter(({ type }) => type === 'webhook.disabled')
      expect(events).toMatchObject([
        {
          stage: stage.id,
          skill: skill.id,
          run: null,
          seq: null,
          data: { reason, failing_since: webhook.failing_since },
        },
      ])
      const rows = await engine().audit.read(tenant, 0, 100)
      expect(rows.filter(({ action }) => action === 'webhook.disable')).toMatchObject([
        { actor_kind: 'system', target: stage.id, detail: { reason } },
      ])

      expect(await put(engine(), place)).toMatchObject({ enabled: true, disabled_reason: null, failing_since: null })
      await succeed(engine(), place)
      expect(await take()).toHaveLength(1)
    },
  )

  test('one that stays disabled still says why', async () => {
    const place = await hooked(1)
    const [a] = await take()
    await finish(a!, 410, { status: 'failed', revision: 1, disable: 'gone' })
    expect(await put(engine(), place, { enabled: false })).toMatchObject({ disabled_reason: 'gone' })
  })

  test('what an endpoint did that is not the present one any more does not count', async () => {
    const place = await hooked(2)
    const [a, b] = await take()
    await put(engine(), place, { url: 'https://example.org/' })
    await finish(a!, 500, again(Date.now()))
    await finish(b!, 410, { status: 'failed', revision: 1, disable: 'gone' })
    expect(await find(place)).toMatchObject({ enabled: true, failing_since: null, revision: 2 })
    expect(await take()).toMatchObject([{ delivery: { id: a!.delivery.id }, webhook: { url: 'https://example.org/' } }])
  })

  test('one that recovered meanwhile is not disabled for having failed', async () => {
    const place = await hooked(2)
    const [a, b] = await take()
    await finish(a!, 200, delivered())
    await engine().webhooks.finishAttempt(b!.delivery.id, b!.token, null, { ...again(Date.now()), disable: 'failing' })
    expect(await find(place)).toMatchObject({ enabled: true })
  })

  test('what is being sent while the rest is cancelled counts as delivered if it arrives', async () => {
    const place = await hooked(3)
    const [a, b, c] = await take()
    await put(engine(), place, { enabled: false })
    expect(await finish(a!, 200, delivered())).toBe(true)
    expect(await finish(b!, 500, again(Date.now()))).toBe(true)
    expect(await finish(c!, 400, { status: 'failed', revision: 1 })).toBe(true)
    expect(await statuses(place)).toEqual([
      ['cancelled', 'disabled'],
      ['cancelled', 'disabled'],
      ['delivered', null],
    ])
    expect(await engine().webhooks.nextDelivery(ANY_ROOM)).toBeNull()
  })
}
