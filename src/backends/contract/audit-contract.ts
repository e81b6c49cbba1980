import { expect, test } from 'vitest'
import type { AuditEvent } from '../../model/audit.ts'
import { digestOf } from '../../model/audit.ts'
import { AuditChain } from '../../model/audit-chain.ts'
import { newId } from '../../model/ids.ts'
import type { Engine } from '../ports.ts'
import { activate, cursorOf, newDeployment, newNote, newRun, newSkill, settle } from './engine-fixtures.ts'

export function auditContract(engine: () => Engine): void {
  const all = (tenant: string): Promise<AuditEvent[]> => engine().audit.read(tenant, 0, 1000)

  test('what changes something is in the log, with what it was and what it became', async () => {
    const { skills } = engine()
    const tenant = newId('tenant')
    const skill = newSkill(tenant, 'notes')
    await skills.createSkill(skill, { ...newNote(tenant, 'skill.create', skill.id), detail: { name: 'notes' } })
    const changed = await skills.updateSkill(
      tenant,
      skill.id,
      { description: 'New.' },
      newNote(tenant, 'skill.update', skill.id),
    )
    await skills.deleteSkill(tenant, skill.id, newNote(tenant, 'skill.delete', skill.id))
    const rows = await all(tenant)
    expect(rows.map(({ seq, action, before, after }) => [seq, action, before, after])).toEqual([
      [1, 'skill.create', null, digestOf(skill)],
      [2, 'skill.update', digestOf(skill), digestOf(changed)],
      [3, 'skill.delete', digestOf(changed), null],
    ])
    expect(rows[0]).toMatchObject({
      tenant,
      actor_kind: 'key',
      actor: 'key_1',
      target_kind: 'skill',
      target: skill.id,
      outcome: 'done',
      request_id: 'req_1',
      client: '192.0.2.1',
      detail: { name: 'notes' },
    })
  })

  test('everything else that is done is there too', async () => {
    const place = await settle(engine())
    const { runs, skills } = engine()
    const run = newRun(place)
    await runs.admit(run, 'default', newNote(place.tenant, 'run.invoke', run.id))
    await runs.cancel(place.tenant, run.id, newNote(place.tenant, 'run.cancel', run.id))
    await skills.deleteStage(place.tenant, place.stage.id, newNote(place.tenant, 'stage.delete', place.stage.id))
    expect((await all(place.tenant)).map(({ action }) => action)).toEqual([
      'skill.create',
      'stage.put',
      'stage.deploy',
      'run.invoke',
      'run.cancel',
      'stage.delete',
    ])
  })

  test('of a run it says how it stood, of a stage what it served', async () => {
    const place = await settle(engine())
    const { runs, skills } = engine()
    const { tenant } = place
    const [queued, running] = [newRun(place), newRun(place)]
    await runs.admit(running, 'default', newNote(tenant, 'run.invoke', running.id))
    await runs.take('default', 1, 60_000)
    await runs.admit(queued, 'default', newNote(tenant, 'run.invoke', queued.id))
    await runs.cancel(tenant, queued.id, newNote(tenant, 'run.cancel', queued.id))
    await runs.cancel(tenant, running.id, newNote(tenant, 'run.cancel', running.id))
    // It was asked to stop, and is not asked again.
    await runs.cancel(tenant, running.id, newNote(tenant, 'run.cancel', running.id))
    const stage = (await skills.findStage(tenant, place.skill.id, 'prod'))!
    const next = await activate(engine(), stage, newDeployment(stage, '2.0.0'))
    const digests = (await all(tenant)).map(({ action, target, before, after }) => [action, target, before, after])
    expect(digests.slice(-3)).toEqual([
      ['run.cancel', queued.id, standing(queued.id, 'queued', false), standing(queued.id, 'cancelled', true)],
      ['run.cancel', running.id, standing(running.id, 'running', false), standing(running.id, 'running', true)],
      ['stage.deploy', stage.id, digestOf(stage), digestOf(next)],
    ])
  })

  test('what changes nothing is not in the log', async () => {
    const place = await settle(engine())
    const { runs, skills } = engine()
    const { tenant } = place
    const run = newRun(place)
    const idempotency = { key: 'k', fingerprint: 'f', expires_at: '2999-01-01T00:00:00.000Z' }
    await runs.admit(run, 'default', newNote(tenant, 'run.invoke', run.id), { idempotency })
    await runs.cancel(tenant, run.id, newNote(tenant, 'run.cancel', run.id))
    const before = await all(tenant)
    await runs.admit(newRun(place), 'default', newNote(tenant, 'run.invoke'), { idempotency })
    await runs.cancel(tenant, run.id, newNote(tenant, 'run.cancel', run.id))
    await runs.cancel(newId('tenant'), run.id, newNote(tenant, 'run.cancel', run.id))
    await skills.deleteSkill(tenant, newId('skill'), newNote(tenant, 'skill.delete'))
    await skills.putStage(tenant, place.skill.id, 'prod', null, undefined, newNote(tenant, 'stage.put'))
    await expect(skills.createSkill(newSkill(tenant, 'notes'), newNote(tenant, 'skill.create'))).rejects.toThrow()
    expect(await all(tenant)).toEqual(before)
  })

  test('every tenant has a chain of its own, without gaps however many write at once', async () => {
    const tenants = [newId('tenant'), newId('tenant')]
    const acts = Array.from({ length: 200 }, (_, i) => newNote(tenants[i % 2]!, 'access.denied', `t${i}`))
    await Promise.all(acts.map((note) => engine().audit.append(note, 'denied')))
    for (const tenant of tenants) {
      const chain = new AuditChain()
      const rows = await all(tenant)
      expect(rows).toHaveLength(100)
      expect(rows.map((row) => chain.add(row)).filter((fault) => fault !== null)).toEqual([])
      expect(await engine().audit.head(tenant)).toEqual(chain.head)
    }
    expect(await engine().audit.head(newId('tenant'))).toBeNull()
  })

  test('it is listed newest first, by page, and by what, who and what to', async () => {
    const tenant = newId('tenant')
    const { audit } = engine()
    for (let i = 0; i < 12; i++) await audit.append(newNote(tenant, 'access.denied', `t${i % 3}`), 'denied')
    await audit.append({ ...newNote(tenant, 'secret.use', 't1'), actor: 'key_2' }, 'done')
    const first = await audit.list(tenant, { limit: 10 })
    expect(first.items.map(({ seq }) => seq)).toEqual([13, 12, 11, 10, 9, 8, 7, 6, 5, 4])
    const second = await audit.list(tenant, { limit: 10, cursor: first.next! })
    expect([second.items.map(({ seq }) => seq), second.next]).toEqual([[3, 2, 1], null])
    await expect(audit.list(tenant, { limit: 10, cursor: cursorOf('key_1') })).rejects.toMatchObject({
      code: 'bad_request',
    })
    expect((await audit.list(tenant, { limit: 10, action: 'secret.use' })).items).toHaveLength(1)
    expect((await audit.list(tenant, { limit: 10, actor: 'key_1', target: 't1' })).items).toHaveLength(4)
    expect((await audit.list(newId('tenant'), { limit: 10 })).items).toEqual([])
    expect((await audit.read(tenant, 11, 1)).map(({ seq }) => seq)).toEqual([12])
  })

  test('what is rare is found in a long log, and others get their turn meanwhile', async () => {
    const tenant = newId('tenant')
    const { audit } = engine()
    // Wherever a search may be divided, there is one on either side.
    const rare = Array.from({ length: 6100 }, (_, i) => 6100 - i).filter((seq) => seq % 100 < 3)
    const notes = Array.from({ length: 6100 }, (_, i) =>
      newNote(tenant, 'access.denied', (i + 1) % 100 < 3 ? 'rare' : 'x'),
    )
    await Promise.all(notes.map((note) => audit.append(note, 'denied')))
    let turns = 0
    const counting = setInterval(() => turns++, 0)
    const seqs: number[] = []
    let cursor: string | undefined
    do {
      const page = await audit.list(tenant, { limit: 70, target: 'rare', cursor })
      seqs.push(...page.items.map(({ seq }) => seq))
      cursor = page.next ?? undefined
    } while (cursor !== undefined)
    const whole = await audit.list(tenant, { limit: 200, target: 'rare' })
    expect((await audit.list(tenant, { limit: 200, target: 'nothing' })).items).toEqual([])
    clearInterval(counting)
    expect(seqs).toEqual(rare)
    expect(whole.items.map(({ seq }) => seq)).toEqual(rare)
    expect(turns).toBeGreaterThan(0)
  })
}

const standing = (id: string, status: string, cancel_requested: boolean): string | null =>
  digestOf({ id, status, cancel_requested })
