import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { newNote } from '../contract/engine-fixtures.ts'
import { vaultContract } from '../contract/vault-contract.ts'
import type { Vault } from '../access-ports.ts'
import { masterKeyFile, openMasterKeys } from '../disk/master-key.ts'
import { DATABASE_FILE, type SqlEngine, openSqliteEngine } from './sql-engine.ts'

const OPERATOR = 'ten_operator'
const note = newNote(OPERATOR, 'vault.rotate')
const newKey = (): string => randomBytes(32).toString('base64')

let folder: string
let engine: SqlEngine
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-vault-'))
  engine = await openSqliteEngine({ folder })
})
afterEach(async () => {
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})

/** @param given As SKILLET_MASTER_KEY; without it the keys are in the folder. */
const open = async (given?: string): Promise<Vault> => engine.vault(await openMasterKeys({ dataDir: folder, given }))

/** Changes rows as somebody would who has the database but not the master key. */
function tamper(sql: string): void {
  const db = new DatabaseSync(join(folder, DATABASE_FILE))
  db.exec(sql)
  db.close()
}

vaultContract('SQLite', async () => ({ vault: await open(), close: async () => {} }))

test('no file of the data folder holds a value or its data key in plain', async () => {
  const vault = await open()
  const canary = `canary-${randomBytes(12).toString('hex')}`
  await vault.put('a', 1, canary)
  await vault.rotate(note)
  await vault.put('a', 2, canary)
  const files = (await readdir(folder)).toSorted()
  expect(files).toEqual(expect.arrayContaining(['master.key', DATABASE_FILE, `${DATABASE_FILE}-wal`]))
  const needles = [canary, Buffer.from(canary).toString('base64').slice(0, -4), Buffer.from(canary).toString('hex')]
  for (const file of files) {
    const bytes = await readFile(join(folder, file))
    for (const needle of needles) expect(bytes.includes(needle), `${needle} in ${file}`).toBe(false)
  }
})

test('the same value is sealed differently each time', async () => {
  const vault = await open()
  for (const path of ['a', 'b']) await vault.put(path, 1, 'same')
  const db = new DatabaseSync(join(folder, DATABASE_FILE))
  const rows = db.prepare('SELECT wrapped, sealed FROM vault').all() as { wrapped: string; sealed: string }[]
  db.close()
  const nonces = rows.flatMap(({ wrapped, sealed }) => [wrapped.slice(0, 16), sealed.slice(0, 16)])
  expect(new Set(nonces).size).toBe(4)
  expect(new Set(rows.map(({ sealed }) => sealed.slice(16))).size).toBe(2)
})

test.each([
  ['moved to another path', `UPDATE vault SET path = 'b' WHERE revision = 1`, 'b', 1],
  ['moved to another revision', `UPDATE vault SET revision = 7 WHERE revision = 1`, 'a', 7],
  ['put in place of another', `UPDATE vault SET sealed = (SELECT sealed FROM vault WHERE revision = 2)`, 'a', 1],
  ['given another data key', `UPDATE vault SET wrapped = (SELECT wrapped FROM vault WHERE revision = 2)`, 'a', 1],
  ['used as a data key', `UPDATE vault SET wrapped = sealed`, 'a', 1],
  ['cut off', `UPDATE vault SET sealed = substr(sealed, 1, 8)`, 'a', 1],
  ['changed', `UPDATE vault SET sealed = 'AAAA' || substr(sealed, 5)`, 'a', 1],
])('a value that was %s does not open', async (_, sql, path, revision) => {
  const vault = await open()
  await vault.put('a', 1, 'a1')
  await vault.put('a', 2, 'a2')
  tamper(sql)
  await expect(vault.get(path, revision)).rejects.toMatchObject({ code: 'vault_unavailable' })
})

test('under another master key nothing opens, the check says so, and it is not rotated away', async () => {
  await (await open(newKey())).put('a', 1, 'a1')
  const other = await open()
  await other.put('b', 1, 'b1')
  const unknown = {
    code: 'vault_unavailable',
    message: expect.stringMatching(/master key [0-9a-f]{16}, which is not here/),
  }
  await expect(other.get('a', 1)).rejects.toMatchObject(unknown)
  await expect(other.check()).rejects.toMatchObject(unknown)
  const before = await readFile(masterKeyFile(folder), 'utf8')
  await expect(other.rotate(note)).rejects.toMatchObject(unknown)
  expect(await readFile(masterKeyFile(folder), 'utf8')).toBe(before)
  expect(await other.get('b', 1)).toBe('b1')
})

test('the check finds values that cannot be opened although their key is here', async () => {
  const vault = await open()
  await vault.put('a', 1, 'a1')
  tamper(`UPDATE vault SET wrapped = 'AAAA' || substr(wrapped, 5)`)
  await expect(vault.check()).rejects.toMatchObject({ code: 'vault_unavailable' })
})

test('a rotation leaves one new key that opens everything; the old one opens nothing', async () => {
  const vault = await open()
  const paths = Array.from({ length: 250 }, (_, i) => `path-${i}`)
  await Promise.all(paths.map((path) => vault.put(path, 1, `value of ${path}`)))
  const old = (await readFile(masterKeyFile(folder), 'utf8')).trim()
  expect(await vault.rotate(note)).toBe(250)
  const fresh = (await readFile(masterKeyFile(folder), 'utf8')).trim()
  expect(fresh).not.toBe(old)
  expect(fresh).toHaveLength(44)
  for (const one of [vault, await open(), await open(fresh)]) {
    await one.check()
    for (const path of paths) expect(await one.get(path, 1)).toBe(`value of ${path}`)
  }
  await expect((await open(old)).get('path-0', 1)).rejects.toMatchObject({ code: 'vault_unavailable' })
})

test('what is written and read while a rotation is under way stays readable under the new key alone', async () => {
  const vault = await open()
  await Promise.all(Array.from({ length: 300 }, (_, i) => vault.put('before', i + 1, `before ${i + 1}`)))
  let rotating = true
  const rotated = vault.rotate(note).finally(() => (rotating = false))
  const second = vault.rotate(note)
  await expect(second).rejects.toMatchObject({ code: 'vault_unavailable' })
  let written = 0
  while (rotating) {
    written++
    await vault.put('meanwhile', written, `meanwhile ${written}`)
    expect(await vault.get('before', 1 + (written % 300))).toBe(`before ${1 + (written % 300)}`)
  }
  await rotated
  expect(written).toBeGreaterThan(0)
  const afterwards = await open((await readFile(masterKeyFile(folder), 'utf8')).trim())
  for (let i = 1; i <= 300; i++) expect(await afterwards.get('before', i)).toBe(`before ${i}`)
  for (let i = 1; i <= written; i++) expect(await afterwards.get('meanwhile', i)).toBe(`meanwhile ${i}`)
})

test('keys from outside: all goes under the first, and one alone cannot be rotated', async () => {
  const [fresh, old] = [newKey(), newKey()]
  const before = await open(old)
  await before.put('a', 1, 'a1')
  await expect(before.rotate(note)).rejects.toMatchObject({ code: 'master_key_external' })
  const both = await open(`${fresh},${old}`)
  expect(await both.get('a', 1)).toBe('a1')
  expect(await both.rotate(note)).toBe(1)
  expect(await both.rotate(note)).toBe(0)
  const after = await open(fresh)
  await after.check()
  expect(await after.get('a', 1)).toBe('a1')
  await expect(before.check()).rejects.toMatchObject({ code: 'vault_unavailable' })
  expect(await readdir(folder)).not.toContain('master.key')
})

test('a rotation that cannot be written into the audit log does not drop the old key', async () => {
  const vault = await open()
  await vault.put('a', 1, 'a1')
  tamper(`CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'the log is full'); END`)
  await expect(vault.rotate(note)).rejects.toThrow('the log is full')
  expect((await readFile(masterKeyFile(folder), 'utf8')).trim().split('\n')).toHaveLength(2)
  tamper('DROP TRIGGER full')
  // Keys that were added by rotations that failed go with the next one that succeeds.
  await vault.rotate(note)
  expect((await readFile(masterKeyFile(folder), 'utf8')).trim().split('\n')).toHaveLength(1)
  expect(await vault.get('a', 1)).toBe('a1')
})

test('a file that holds the values of another key is told from one that was lost', async () => {
  await (await open()).put('a', 1, 'a1')
  await rm(masterKeyFile(folder))
  await expect((await open()).check()).rejects.toMatchObject({ code: 'vault_unavailable' })
  await writeFile(masterKeyFile(folder), 'c2hvcnQ=\n', { mode: 0o600 })
  await expect(open()).rejects.toThrow('key 1 is not 32 bytes in base64')
})
