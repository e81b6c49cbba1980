import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { newNote } from '../backends/contract/engine-fixtures.ts'
import type { Engine } from '../backends/ports.ts'
import { openSqliteEngine } from '../backends/sql/sql-engine.ts'
import { OPERATOR_TENANT } from '../model/access.ts'
import { now } from '../model/json.ts'
import { bootstrap, bootstrapOperator, operatorKeyFile, ownerKeyFile } from './bootstrap.ts'
import { hashKey, newKey } from './keys.ts'

let dataDir: string
let engine: Engine
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'skillet-access-'))
  engine = await openSqliteEngine({ folder: dataDir })
})
afterEach(async () => {
  await engine.close()
  await rm(dataDir, { recursive: true, force: true })
})

describe('the first start', () => {
  test('makes a tenant and a key that only its owner can read, and hands it out once', async () => {
    const first = await bootstrap({ engine, dataDir })
    expect(first).toMatchObject({ tenant: { name: 'default' }, file: ownerKeyFile(dataDir) })
    expect((await stat(first!.file)).mode & 0o777).toBe(0o600)
    expect(await readFile(first!.file, 'utf8')).toBe(`${first!.key}\n`)
    expect(await engine.access.findKey(hashKey(first!.key))).toMatchObject({
      key: { role: 'owner', tenant: first!.tenant.id },
      tenant: first!.tenant,
    })
    expect(await bootstrap({ engine, dataDir })).toBeNull()
    expect(await engine.access.countTenants()).toBe(1)
  })

  test('the key itself is in no file but its own', async () => {
    const { key } = (await bootstrap({ engine, dataDir }))!
    for (const entry of await readdir(dataDir, { withFileTypes: true })) {
      if (!entry.isFile() || entry.name === 'owner.key') continue
      expect((await readFile(join(dataDir, entry.name))).includes(key)).toBe(false)
    }
  })

  test('one that was killed between the file and the tenant goes on with the key in the file', async () => {
    const { key } = newKey()
    await writeFile(ownerKeyFile(dataDir), `${key}\n`, { mode: 0o600 })
    expect((await bootstrap({ engine, dataDir }))!.key).toBe(key)
  })

  test('a file that holds no key is replaced', async () => {
    await writeFile(ownerKeyFile(dataDir), 'torn')
    await chmod(ownerKeyFile(dataDir), 0o644)
    const { key, file } = (await bootstrap({ engine, dataDir }))!
    expect(await readFile(file, 'utf8')).toBe(`${key}\n`)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
  })
})

describe("the operator's key", () => {
  test('is made when none is in force, in a file of its own, whether there are tenants or not', async () => {
    await bootstrap({ engine, dataDir })
    const made = (await bootstrapOperator({ engine, dataDir }))!
    expect(made.file).toBe(operatorKeyFile(dataDir))
    expect((await stat(made.file)).mode & 0o777).toBe(0o600)
    expect(await readFile(made.file, 'utf8')).toBe(`${made.key}\n`)
    const found = (await engine.access.findKey(hashKey(made.key)))!
    expect(found).toMatchObject({ key: { role: 'operator' }, tenant: OPERATOR_TENANT })
    expect(await bootstrapOperator({ engine, dataDir })).toBeNull()
    expect(await engine.access.countTenants()).toBe(1)
  })

  test('is not made again because its file was put away', async () => {
    const made = (await bootstrapOperator({ engine, dataDir }))!
    await rm(made.file)
    expect(await bootstrapOperator({ engine, dataDir })).toBeNull()
  })

  test('is another one when the last was revoked: what is in the file is in force', async () => {
    const first = (await bootstrapOperator({ engine, dataDir }))!
    const { key } = (await engine.access.findKey(hashKey(first.key)))!
    await engine.access.revokeKey(OPERATOR_TENANT.id, key.id, now(), newNote(OPERATOR_TENANT.id, 'key.revoke'))
    const second = (await bootstrapOperator({ engine, dataDir }))!
    expect(second.key).not.toBe(first.key)
    expect(await readFile(second.file, 'utf8')).toBe(`${second.key}\n`)
  })

  test('goes on with the file of a start that was killed, draft and all', async () => {
    const { key } = newKey()
    await writeFile(operatorKeyFile(dataDir), `${key}\n`, { mode: 0o600 })
    await writeFile(`${operatorKeyFile(dataDir)}.new`, 'torn')
    expect((await bootstrapOperator({ engine, dataDir }))!.key).toBe(key)
  })

  test('a draft that a killed start left is no obstacle', async () => {
    await writeFile(`${operatorKeyFile(dataDir)}.new`, 'torn')
    expect(await bootstrapOperator({ engine, dataDir })).not.toBeNull()
    expect((await readdir(dataDir)).filter((name) => name.endsWith('.new'))).toEqual([])
  })
})
