import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verify } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openMasterKeys } from '../backends/disk/master-key.ts'
import { type SqlEngine, openSqliteEngine } from '../backends/sql/sql-engine.ts'
import { newId } from '../model/ids.ts'
import { preAuthEncoding, verifySignature } from '../model/signatures.ts'
import { createSigning } from './signing.ts'

let folder: string
let engine: SqlEngine
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-signing-'))
  engine = await openSqliteEngine({ folder })
})
afterEach(async () => {
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})

const open = async () => {
  const vault = engine.vault(await openMasterKeys({ dataDir: folder }))
  return createSigning({ store: engine.signing, vault, environment: 'test' })
}
const DIGEST = `sha256:${'a'.repeat(64)}`
const version = (tenant: string) => ({ tenant, name: 'notes', version: '1.2.0', digest: DIGEST })
const caller = (tenant: string) =>
  ({ kind: 'key', id: 'key_1', tenant, role: 'owner', request_id: 'req_1', client: null }) as const

test('what is signed holds under the key of the tenant, for that package and no other', async () => {
  const signing = await open()
  const tenant = newId('tenant')
  const [envelope, again] = await Promise.all([signing.sign(version(tenant)), signing.sign(version(tenant))])
  expect(again).toEqual(envelope)
  const keys = await signing.keys(tenant)
  expect(keys).toHaveLength(1)
  expect(verifySignature(envelope, keys, DIGEST)).toMatchObject({
    key: keys[0]!.id,
    statement: {
      subject: [{ name: 'notes@1.2.0', digest: { sha256: 'a'.repeat(64) } }],
      predicate: { tenant, skill: 'notes', version: '1.2.0' },
    },
  })
  // Without our code: DSSE as its specification has it.
  const payload = Buffer.from(envelope.payload, 'base64')
  expect(preAuthEncoding(payload).toString()).toBe(
    `DSSEv1 28 application/vnd.in-toto+json ${payload.length} ${payload.toString()}`,
  )
  const sig = Buffer.from(envelope.signatures[0]!.sig, 'base64')
  expect(verify(null, preAuthEncoding(payload), keys[0]!.public_key, sig)).toBe(true)

  expect(verifySignature(envelope, keys, `sha256:${'b'.repeat(64)}`)).toEqual({
    fault: expect.stringContaining('the files here are sha256:b') as string,
  })
  const other = await signing.keys(newId('tenant'))
  expect(verifySignature(envelope, other, DIGEST)).toEqual({ fault: 'None of the trusted keys signed it.' })
  // Nobody signs for another.
  const own = keys.map(({ id, public_key }) => ({ id, public_key }))
  expect(verifySignature(envelope, own, DIGEST)).toHaveProperty('statement')
  expect(verifySignature(envelope, [{ ...own[0]!, tenant: newId('tenant') }], DIGEST)).toEqual({
    fault: expect.stringContaining('is not one of tenant') as string,
  })
  // Another's key under the name of the trusted one.
  expect(verifySignature(envelope, [{ ...other[0]!, id: keys[0]!.id }], DIGEST)).toMatchObject({
    fault: 'None of the trusted keys signed it.',
  })
  const forged = { ...envelope, payload: Buffer.from(payload.toString().replace('1.2.0', '1.2.1')).toString('base64') }
  expect(verifySignature(forged, keys, DIGEST)).toMatchObject({ fault: 'None of the trusted keys signed it.' })
  for (const nothing of [null, {}, { ...envelope, signatures: [] }, { ...envelope, payloadType: 'text/plain' }]) {
    expect(verifySignature(nothing, keys, DIGEST)).toMatchObject({ fault: 'What was given is no DSSE envelope.' })
  }
})

test('the key outlives the server; a new one signs from then on, and what the old one signed goes on holding', async () => {
  const tenant = newId('tenant')
  const first = await (await open()).sign(version(tenant))
  const signing = await open()
  expect(await signing.sign(version(tenant))).toEqual(first)
  const made = await signing.rotate(caller(tenant))
  const second = await signing.sign(version(tenant))
  expect(second.signatures[0]!.keyid).toBe(made.id)
  const keys = await signing.keys(tenant)
  expect(keys.map(({ retired_at }) => retired_at === null)).toEqual([true, false])
  for (const envelope of [first, second]) expect(verifySignature(envelope, keys, DIGEST)).toHaveProperty('statement')
  // The private half is what the sweep of strays must leave, and what no row shows.
  expect((await engine.upkeep.strayValues(null)).found).toEqual([])
  expect(JSON.stringify(keys)).not.toContain('PRIVATE')
})
