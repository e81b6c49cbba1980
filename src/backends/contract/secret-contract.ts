import { expect, test } from 'vitest'
import { digestOf } from '../../model/audit.ts'
import { newId } from '../../model/ids.ts'
import { now } from '../../model/json.ts'
import type { Secret } from '../../model/secrets.ts'
import type { StageConfig } from '../../model/skills.ts'
import type { Engine } from '../ports.ts'
import { activate, newDeployment, newNote, newTenant, settle } from './engine-fixtures.ts'

export function secretContract(engine: () => Engine): void {
  async function newOwner(): Promise<string> {
    const { tenant, key, hash } = newTenant()
    await engine().access.createTenant(tenant, key, hash, null)
    return tenant.id
  }

  async function made(tenant: string, name: string, change: Partial<Secret> = {}): Promise<Secret> {
    const id = newId('secret')
    const path = `agent-runner/test/tenant/${tenant}/secrets/${id}`
    const at = now()
    const secret: Secret = {
      id,
      tenant,
      name,
      kind: 'value',
      path,
      revision: 1,
      created_by: 'key_1',
      created_at: at,
      updated_at: at,
      ...change,
    }
    await engine().secrets.createSecret(secret, newNote(tenant, 'secret.create', id))
    return secret
  }

  test('a secret is found by id or name as it was made, within its tenant', async () => {
    const { secrets } = engine()
    const [tenant, other] = [await newOwner(), await newOwner()]
    const secret = await made(tenant, 'token', { kind: 'connection' })
    expect(await secrets.findSecret(tenant, secret.id)).toEqual(secret)
    expect(await secrets.findSecret(tenant, 'token')).toEqual(secret)
    expect(await secrets.findSecret(tenant, 'Token')).toBeNull()
    expect(await secrets.findSecret(other, secret.id)).toBeNull()
    expect(await secrets.findSecret(other, 'token')).toBeNull()
  })

  test('a name is taken once in a tenant, and free again when its secret is gone', async () => {
    const { secrets } = engine()
    const [tenant, other] = [await newOwner(), await newOwner()]
    const first = await made(tenant, 'token')
    await made(other, 'token')
    await expect(made(tenant, 'token')).rejects.toMatchObject({ code: 'name_taken' })
    await secrets.deleteSecret(tenant, first.id, note(first, 'secret.delete'))
    await made(tenant, 'token')
  })

  test('several are found at once, and no others', async () => {
    const { secrets } = engine()
    const [tenant, other] = [await newOwner(), await newOwner()]
    const [a, b] = [await made(tenant, 'a'), await made(tenant, 'b')]
    const theirs = await made(other, 'a')
    await made(tenant, 'c')
    const found = await secrets.findSecrets(tenant, [b.id, a.id, theirs.id, newId('secret')])
    expect(new Map(found.map((secret) => [secret.id, secret]))).toEqual(new Map([a, b].map((one) => [one.id, one])))
    expect(found).toHaveLength(2)
    expect(await secrets.findSecrets(tenant, [])).toEqual([])
  })

  test('they are listed in pages, newest first', async () => {
    const { secrets } = engine()
    const [tenant, other] = [await newOwner(), await newOwner()]
    const all = [await made(tenant, 'a'), await made(tenant, 'b'), await made(tenant, 'c')]
    await made(other, 'd')
    const first = await secrets.listSecrets(tenant, { limit: 2 })
    const second = await secrets.listSecrets(tenant, { limit: 2, cursor: first.next! })
    expect([...first.items, ...second.items]).toEqual(all.toSorted((a, b) => (a.id < b.id ? 1 : -1)))
    expect(second.next).toBeNull()
  })

  test('a revision follows the one that was seen; of two that saw the same, one gets it', async () => {
    const { secrets, audit } = engine()
    const tenant = await newOwner()
    const secret = await made(tenant, 'token')
    const at = '2030-01-01T00:00:00.000Z'
    const revise = () => secrets.reviseSecret(tenant, secret.id, 1, at, note(secret, 'secret.update'))
    const ends = await Promise.allSettled([revise(), revise()])
    const after = { ...secret, revision: 2, updated_at: at }
    expect(ends).toMatchObject([
      { status: 'fulfilled', value: after },
      { status: 'rejected', reason: { code: 'secret_changed', data: { revision: 2 } } },
    ])
    expect(await secrets.findSecret(tenant, 'token')).toEqual(after)
    const other = await newOwner()
    expect(await secrets.reviseSecret(other, secret.id, 2, at, newNote(other, 'secret.update'))).toBeNull()
    expect(await audit.read(tenant, 0, 10)).toMatchObject([
      { action: 'secret.create', target: secret.id, before: null, after: digestOf(secret) },
      { action: 'secret.update', target: secret.id, before: digestOf(secret), after: digestOf(after) },
    ])
  })

  test('a secret is deleted once, by its own tenant', async () => {
    const { secrets, audit } = engine()
    const [tenant, other] = [await newOwner(), await newOwner()]
    const secret = await made(tenant, 'token')
    expect(await secrets.deleteSecret(other, secret.id, newNote(other, 'secret.delete'))).toBeNull()
    expect(await secrets.deleteSecret(tenant, 'token', note(secret, 'secret.delete'))).toEqual(secret)
    expect(await secrets.deleteSecret(tenant, secret.id, note(secret, 'secret.delete'))).toBeNull()
    expect(await secrets.findSecret(tenant, secret.id)).toBeNull()
    expect(await audit.read(other, 0, 10)).toEqual([])
    const rows = await audit.read(tenant, 0, 10)
    expect(rows.map(({ action, before }) => [action, before])).toEqual([
      ['secret.create', null],
      ['secret.delete', digestOf(secret)],
    ])
  })

  test('one that a configuration or an active deployment refers to stays, and the stages are named', async () => {
    const { secrets, skills } = engine()
    const tenant = await newOwner()
    const secret = await made(tenant, 'token')
    const { skill, stage } = await settle(engine(), tenant)
    const configure = (name: string, config: StageConfig) =>
      skills.putStage(tenant, skill.id, name, config, undefined, newNote(tenant, 'stage.put'))
    const refs = { secret_refs: { TOKEN: secret.id } }
    const remove = () => secrets.deleteSecret(tenant, secret.id, note(secret, 'secret.delete'))

    await configure('dev', refs)
    await configure('other', { env: { TOKEN: secret.id } })
    const frozen = newDeployment(await configure('prod', refs), '1.1.0')
    const served = await activate(engine(), (await skills.findStage(tenant, skill.id, 'prod'))!, {
      ...frozen,
      config: { ...frozen.config, ...refs },
    })
    await expect(remove()).rejects.toMatchObject(inUse(['notes/dev', 'notes/prod']))
    await configure('dev', {})
    const bare = await configure('prod', {})
    expect(bare.id).toBe(stage.id)
    await expect(remove()).rejects.toMatchObject(inUse(['notes/prod']))
    expect(await secrets.findSecret(tenant, secret.id)).toEqual(secret)

    await activate(engine(), bare, newDeployment(bare, '1.2.0'))
    expect(await remove()).toEqual(secret)
    // What served it before cannot be served again.
    const present = (await skills.findStage(tenant, skill.id, 'prod'))!
    const former = (await skills.findDeployment(tenant, served.deployment!))!
    await expect(activate(engine(), present, former, { kind: 'rollback' })).rejects.toMatchObject({
      code: 'secret_unknown',
    })
    await expect(configure('dev', refs)).rejects.toMatchObject({ code: 'secret_unknown' })
    expect((await skills.findStage(tenant, skill.id, 'prod'))!.deployment).toBe(present.deployment)
  })

  test("another tenant's secret is none that a stage can refer to", async () => {
    const { skills } = engine()
    const [tenant, other] = [await newOwner(), await newOwner()]
    const theirs = await made(other, 'token')
    const { skill } = await settle(engine(), tenant)
    const put = skills.putStage(
      tenant,
      skill.id,
      'dev',
      { secret_refs: { TOKEN: theirs.id } },
      undefined,
      newNote(tenant, 'stage.put'),
    )
    await expect(put).rejects.toMatchObject({ code: 'secret_unknown' })
    expect(await skills.findStage(tenant, skill.id, 'dev')).toBeNull()
  })
}

const note = (secret: Secret, action: 'secret.update' | 'secret.delete') => newNote(secret.tenant, action, secret.id)
const inUse = (stages: string[]) => ({ code: 'secret_in_use', data: { stages } })
