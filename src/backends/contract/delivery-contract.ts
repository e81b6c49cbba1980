import { expect, test } from 'vitest'
import { ATTEMPTS_KEPT } from '../../model/webhooks.ts'
import type { DeliveryClaim } from '../flow-ports.ts'
import type { Engine } from '../ports.ts'
import { newNote } from './engine-fixtures.ts'
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

/** A lease that nobody takes over during a test, in milliseconds; and one that has run out when it begins. */
const LONG = 3_600_000
const OVER = 0

/** Deliveries as they are taken and tried. */
export function deliveryContract(engine: () => Engine): void {
  const take = (count = 100, leaseMs = LONG, room = ANY_ROOM) => engine().webhooks.takeDeliveries(count, leaseMs, room)
  const find = async (place: HookedPlace, id: string) =>
    (await engine().webhooks.findDelivery(place.tenant, id))!.delivery
  const webhook = (place: HookedPlace) => engine().webhooks.findWebhook(place.tenant, place.stage.id)
  const redeliver = (place: HookedPlace, id: string) =>
    engine().webhooks.redeliver(place.tenant, id, newNote(place.tenant, 'delivery.redeliver', id))

  async function hooked(deliveries: number, tenant?: string, name?: string): Promise<HookedPlace> {
    const place = await hookedPlace(engine(), tenant, name)
    await put(engine(), place)
    for (let i = 0; i < deliveries; i++) await succeed(engine(), place)
    return place
  }

  test('what is due is taken once, the oldest first, with all that it takes to send it', async () => {
    const place = await hooked(3)
    const listed = (await engine().webhooks.listDeliveries(place.tenant, { limit: 10 })).items.toReversed()
    const claims = await take(2)
    expect(claims.map(({ delivery: { id }, token, attempt }) => [id, token, attempt])).toEqual([
      [listed[0]!.id, 1, 1],
      [listed[1]!.id, 1, 1],
    ])
    expect(claims[0]).toMatchObject({
      webhook: await webhook(place),
      payload: (await engine().webhooks.findDelivery(place.tenant, listed[0]!.id))!.payload,
    })
    expect((await take()).map(({ delivery: { id } }) => id)).toEqual([listed[2]!.id])
    expect(await take()).toEqual([])
    const next = await engine().webhooks.nextDelivery(ANY_ROOM)
    expect(next).toBeGreaterThan(Date.now())
    expect(next).toBeLessThanOrEqual(Date.now() + LONG)
  })

  test('a lease that ran out is taken over, and its former holder writes nothing', async () => {
    const place = await hooked(1)
    const [first] = await take(1, OVER)
    const [second] = await take()
    const { id } = first!.delivery
    expect([second!.delivery.id, second!.token]).toEqual([id, first!.token + 1])
    const { finishAttempt } = engine().webhooks
    expect(await finishAttempt(id, first!.token, newAttempt(), delivered())).toBe(false)
    expect(await find(place, id)).toMatchObject({ status: 'pending', attempts: [] })
    const attempt = newAttempt()
    expect(await finishAttempt(id, second!.token, attempt, delivered())).toBe(true)
    expect(await finishAttempt(id, second!.token, attempt, delivered())).toBe(false)
    expect(await find(place, id)).toMatchObject({
      status: 'delivered',
      attempts: [attempt],
      next_attempt_at: null,
      finished_at: expect.any(String),
    })
    expect(await take()).toEqual([])
  })

  test('after a restart everything that was leased is due at once, and old tokens are void', async () => {
    const place = await hooked(2)
    const claims = await take()
    const [later] = claims
    await engine().webhooks.finishAttempt(later!.delivery.id, later!.token, newAttempt(), again(Date.now() + LONG))
    expect(await engine().webhooks.recoverDeliveries()).toBe(1)
    expect(await engine().webhooks.recoverDeliveries()).toBe(0)
    const [old] = claims.slice(1)
    const [taken, ...more] = await take()
    expect([taken!.delivery.id, more]).toEqual([old!.delivery.id, []])
    expect(await engine().webhooks.finishAttempt(old!.delivery.id, old!.token, newAttempt(), delivered())).toBe(false)
    expect((await find(place, old!.delivery.id)).status).toBe('pending')
  })

  test('one that is tried again waits until then, and the attempts are counted and remembered', async () => {
    const place = await hooked(1)
    let claim: DeliveryClaim
    for (let i = 1; i <= ATTEMPTS_KEPT + 2; i++) {
      claim = (await take())[0]!
      expect(claim.attempt).toBe(i)
      const end = again(Date.now())
      await engine().webhooks.finishAttempt(claim.delivery.id, claim.token, newAttempt({ ms: i, status: 500 }), end)
    }
    const { attempts } = await find(place, claim!.delivery.id)
    expect(attempts.map(({ ms }) => ms)).toEqual(Array.from({ length: ATTEMPTS_KEPT }, (_, i) => i + 3))
    claim = (await take())[0]!
    const at = Date.now() + LONG / 2
    await engine().webhooks.finishAttempt(claim.delivery.id, claim.token, newAttempt({ status: 500 }), again(at))
    expect(await take()).toEqual([])
    expect(await engine().webhooks.nextDelivery(ANY_ROOM)).toBe(at)
    expect((await find(place, claim.delivery.id)).next_attempt_at).toBe(new Date(at).toISOString())
  })

  test('one that nothing was tried of is given back without a trace', async () => {
    const place = await hooked(1)
    const [claim] = await take()
    await engine().webhooks.finishAttempt(claim!.delivery.id, claim!.token, null, again(Date.now()))
    const [second] = await take()
    expect([second!.attempt, second!.delivery.attempts]).toEqual([1, []])
    expect((await webhook(place))!.failing_since).toBeNull()
  })

  test('an endpoint or tenant without room is passed over, however much is due for it', async () => {
    const slow = await hooked(20)
    const sister = await hooked(2, slow.tenant, 'sister')
    const other = await hooked(3)
    const counts = (claims: DeliveryClaim[]) =>
      [slow, sister, other].map(({ stage }) => claims.filter(({ delivery }) => delivery.stage === stage.id).length)
    const full = { ...ANY_ROOM, endpoint: (stage: string) => (stage === slow.stage.id ? 0 : 4) }
    expect(counts(await take(1, OVER, full))).toEqual([0, 1, 0])
    expect(counts(await take(10, OVER, full))).toEqual([0, 2, 3])
    const narrow = { ...ANY_ROOM, endpoint: () => 4, tenant: (id: string) => (id === slow.tenant ? 5 : 2) }
    expect(counts(await take(100, OVER, narrow))).toEqual([4, 1, 2])
    expect(counts(await take(100, LONG, { ...ANY_ROOM, tenant: () => 0 }))).toEqual([0, 0, 0])
    const none = { ...ANY_ROOM, endpoint: () => 0 }
    expect(await engine().webhooks.nextDelivery(none)).toBeNull()
    const others = { ...ANY_ROOM, full: () => [slow.tenant] }
    expect(counts(await take(100, OVER, others))).toEqual([0, 0, 3])
    expect(await engine().webhooks.nextDelivery(full)).toBeLessThanOrEqual(Date.now())
  })

  test('a delivery that is over is sent again under its id when that is asked for; one that waits, or has nowhere to go, is not', async () => {
    const place = await hooked(1)
    const [claim] = await take()
    const { id } = claim!.delivery
    await expect(redeliver(place, id)).rejects.toMatchObject({ code: 'not_redeliverable' })
    await engine().webhooks.finishAttempt(id, claim!.token, newAttempt(), delivered())
    expect(await redeliver({ ...place, tenant: 'ten_other' }, id)).toBeNull()
    expect(await redeliver(place, id)).toMatchObject({ id, status: 'pending', finished_at: null })
    const [second] = await take()
    expect(second).toMatchObject({ delivery: { id }, attempt: 1, payload: claim!.payload })
    expect(second!.token).toBeGreaterThan(claim!.token)
    await put(engine(), place, { enabled: false })
    await expect(redeliver(place, id)).rejects.toMatchObject({ code: 'not_redeliverable' })
    const rows = await engine().audit.read(place.tenant, 0, 100)
    expect(rows.filter(({ action }) => action === 'delivery.redeliver')).toMatchObject([{ target: id, actor: 'key_1' }])
  })

  test('they are listed by what they belong to and what became of them, newest first, within what may be seen', async () => {
    const [place, other] = [await hooked(3), await hooked(1)]
    const { tenant, skill, stage } = place
    await engine().webhooks.finishAttempt((await take(1))[0]!.delivery.id, 1, newAttempt(), delivered())
    const list = async (filter: object) =>
      (await engine().webhooks.listDeliveries(tenant, { limit: 50, ...filter })).items
    const all = await list({})
    expect(all.map(({ id }) => id)).toEqual(
      all
        .map(({ id }) => id)
        .toSorted()
        .toReversed(),
    )
    expect(all).toHaveLength(3)
    const [first] = all
    expect(await list({ run: first!.run! })).toEqual([first])
    expect(await list({ skill: skill.id, stage: stage.id })).toEqual(all)
    expect(await list({ stage: other.stage.id })).toEqual([])
    expect((await list({ status: 'delivered' })).map(({ id }) => id)).toEqual([all[2]!.id])
    expect(await list({ status: 'pending' })).toEqual(all.slice(0, 2))
    expect(await list({ status: 'rejected' })).toEqual([])
    expect(await list({ only: [{ skills: [skill.id], stages: ['prod'] }] })).toEqual(all)
    expect(await list({ only: [{ skills: null, stages: ['dev'] }] })).toEqual([])
    expect(await list({ only: [] })).toEqual([])
    const page = await engine().webhooks.listDeliveries(tenant, { limit: 2 })
    expect([...page.items, ...(await list({ cursor: page.next! }))]).toEqual(all)
  })

  test('hints come when something is due: something new, something to be tried again', async () => {
    const place = await hooked(0)
    let hints = 0
    const end = engine().webhooks.watchDeliveries(() => hints++)
    await succeed(engine(), place)
    expect(hints).toBe(1)
    const [claim] = await take()
    const { id } = claim!.delivery
    await engine().webhooks.finishAttempt(id, claim!.token, newAttempt({ status: 500 }), again(Date.now() + LONG))
    expect(hints).toBe(2)
    end()
    await succeed(engine(), place)
    expect(hints).toBe(2)
  })
}
