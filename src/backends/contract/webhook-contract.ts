import { expect, test } from 'vitest'
import { digestOf } from '../../model/audit.ts'
import type { Engine } from '../ports.ts'
import { newNote, newRun, settle } from './engine-fixtures.ts'
import { ANY_ROOM, hookedPlace, newSecret, newWebhook, put, succeed } from './webhook-fixtures.ts'

const SOON = 60_000

/** Webhooks as their owners put, change and delete them. */
export function webhookContract(engine: () => Engine): void {
  const statuses = async (tenant: string) =>
    (await engine().webhooks.listDeliveries(tenant, { limit: 50 })).items.map(({ status, reason }) => [status, reason])

  test('a webhook is found as it was put, by its tenant, and what was put is audited', async () => {
    const place = await hookedPlace(engine())
    const { tenant, stage } = place
    const first = await put(engine(), place)
    expect(first).toEqual({ ...newWebhook(place), ...first, revision: 1, disabled_reason: null, failing_since: null })
    expect(await engine().webhooks.findWebhook(tenant, stage.id)).toEqual(first)
    expect(await engine().webhooks.findWebhook('ten_other', stage.id)).toBeNull()
    const second = await put(engine(), place, {
      url: 'https://example.org/',
      events: ['schedule.missed'],
      created_by: 'key_2',
      created_at: '2030-01-01T00:00:00.000Z',
      updated_at: '2030-01-01T00:00:00.000Z',
    })
    expect(second).toEqual({
      ...first,
      url: 'https://example.org/',
      events: ['schedule.missed'],
      updated_at: '2030-01-01T00:00:00.000Z',
      revision: 2,
    })
    const rows = await engine().audit.read(tenant, 0, 100)
    const puts = rows.filter(({ action }) => action === 'webhook.put')
    expect(puts.map(({ before, after }) => [before, after])).toEqual([
      [null, digestOf(first)],
      [digestOf(first), digestOf(second)],
    ])
    expect(JSON.stringify(rows)).not.toContain('token=1')
  })

  test('a put is conditional on the revision that it names; 0 stands for none', async () => {
    const place = await hookedPlace(engine())
    await expect(put(engine(), place, {}, 1)).rejects.toMatchObject({ code: 'webhook_changed', data: {} })
    const ends = await Promise.allSettled([put(engine(), place, {}, 0), put(engine(), place, {}, 0)])
    expect(ends).toMatchObject([
      { status: 'fulfilled', value: { revision: 1 } },
      { status: 'rejected', reason: { code: 'webhook_changed', data: { revision: 1 } } },
    ])
    expect(await put(engine(), place, {}, 1)).toMatchObject({ revision: 2 })
  })

  test('it needs a stage that is there and a secret of its own tenant', async () => {
    const [place, other] = [await hookedPlace(engine()), await hookedPlace(engine())]
    await expect(put(engine(), place, { secret: other.secret.id })).rejects.toMatchObject({ code: 'secret_unknown' })
    await expect(put(engine(), place, { stage: other.stage.id })).rejects.toMatchObject({ code: 'not_found' })
    await engine().skills.deleteStage(place.tenant, place.stage.id, newNote(place.tenant, 'stage.delete'))
    await expect(put(engine(), place)).rejects.toMatchObject({ code: 'not_found' })
    expect(await engine().webhooks.findWebhook(place.tenant, place.stage.id)).toBeNull()
  })

  test('a secret that signs for a webhook stays', async () => {
    const place = await hookedPlace(engine())
    const { tenant, secret } = place
    await put(engine(), place)
    const remove = () => engine().secrets.deleteSecret(tenant, secret.id, newNote(tenant, 'secret.delete', secret.id))
    await expect(remove()).rejects.toMatchObject({ code: 'secret_in_use', data: { stages: ['notes/prod'] } })
    await put(engine(), place, { secret: (await newSecret(engine(), tenant)).id })
    expect(await remove()).toEqual(secret)
    await expect(put(engine(), place)).rejects.toMatchObject({ code: 'secret_unknown' })
  })

  test('what a stage tells is in its outbox if the webhook asks for it, and of no other stage', async () => {
    const place = await hookedPlace(engine())
    const beside = await settle(engine(), place.tenant, 'beside')
    await succeed(engine(), place)
    await put(engine(), place)
    const run = await succeed(engine(), place)
    await succeed(engine(), beside)
    await put(engine(), place, { events: ['run.failed'] })
    await succeed(engine(), place)
    const { items } = await engine().webhooks.listDeliveries(place.tenant, { limit: 10 })
    expect(items).toMatchObject([
      {
        id: expect.stringMatching(/^msg_/),
        run,
        event: 'run.succeeded',
        status: 'pending',
        attempts: [],
        reason: null,
      },
    ])
    const found = await engine().webhooks.findDelivery(place.tenant, items[0]!.id)
    expect(found!.delivery).toEqual(items[0])
    expect(JSON.parse(found!.payload)).toMatchObject({
      type: 'run.succeeded',
      timestamp: expect.any(String),
      data: {
        run,
        skill: place.skill.id,
        stage: place.stage.id,
        version: '1.0.0',
        scheduled_for: null,
        created_by: 'key_1',
      },
    })
    expect(await engine().webhooks.findDelivery('ten_other', items[0]!.id)).toBeNull()
  })

  test('deleting it cancels what waits, which stays listed; so does disabling it', async () => {
    const place = await hookedPlace(engine())
    const { tenant, stage } = place
    await put(engine(), place)
    await succeed(engine(), place)
    await put(engine(), place, { enabled: false })
    expect(await statuses(tenant)).toEqual([['cancelled', 'disabled']])
    await succeed(engine(), place)
    expect(await statuses(tenant)).toHaveLength(1)
    await put(engine(), place)
    await succeed(engine(), place)
    const note = newNote(tenant, 'webhook.delete', stage.id)
    expect(await engine().webhooks.deleteWebhook('ten_other', stage.id, note)).toBe(false)
    expect(await engine().webhooks.deleteWebhook(tenant, stage.id, note)).toBe(true)
    expect(await engine().webhooks.deleteWebhook(tenant, stage.id, note)).toBe(false)
    expect(await statuses(tenant)).toEqual([
      ['cancelled', 'deleted'],
      ['cancelled', 'disabled'],
    ])
    expect(await engine().webhooks.takeDeliveries(10, SOON, ANY_ROOM)).toEqual([])
    expect(await engine().webhooks.nextDelivery(ANY_ROOM)).toBeNull()
    expect((await engine().audit.read(tenant, 0, 100)).at(-1)).toMatchObject({ action: 'webhook.delete', after: null })
  })

  test('however many wait, all are cancelled', async () => {
    const place = await hookedPlace(engine())
    await put(engine(), place)
    const { runs, webhooks } = engine()
    const all = Array.from({ length: 450 }, () => newRun(place))
    await Promise.all(all.map((run) => runs.admit(run, 'default', newNote(run.tenant, 'run.invoke', run.id))))
    await Promise.all(all.map(({ id }) => runs.cancel(place.tenant, id, newNote(place.tenant, 'run.cancel', id))))
    await put(engine(), place, { enabled: false })
    const waiting = { limit: 1, status: 'pending' } as const
    expect((await webhooks.listDeliveries(place.tenant, waiting)).items).toEqual([])
    expect(await statuses(place.tenant)).toEqual(Array.from({ length: 50 }, () => ['cancelled', 'disabled']))
  })

  test.each(['stage', 'skill'] as const)('it goes with its %s, and nothing waits any more', async (kind) => {
    const place = await hookedPlace(engine())
    const { tenant, stage, skill, secret } = place
    await put(engine(), place)
    await succeed(engine(), place)
    const note = newNote(tenant, kind === 'stage' ? 'stage.delete' : 'skill.delete')
    if (kind === 'stage') await engine().skills.deleteStage(tenant, stage.id, note)
    else await engine().skills.deleteSkill(tenant, skill.id, note)
    expect(await engine().webhooks.findWebhook(tenant, stage.id)).toBeNull()
    expect(await statuses(tenant)).toEqual([['cancelled', 'deleted']])
    expect(await engine().webhooks.takeDeliveries(10, SOON, ANY_ROOM)).toEqual([])
    expect(await engine().secrets.deleteSecret(tenant, secret.id, newNote(tenant, 'secret.delete'))).toEqual(secret)
  })
}
