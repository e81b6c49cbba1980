import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { masterKeyFile, openMasterKeys } from './master-key.ts'

let dataDir: string
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'skillet-master-'))
})
afterEach(() => rm(dataDir, { recursive: true, force: true }))

const newKey = (): string => randomBytes(32).toString('base64')

test('a key is made once, for its owner alone, and found again', async () => {
  const first = await openMasterKeys({ dataDir })
  expect((await stat(masterKeyFile(dataDir))).mode & 0o777).toBe(0o600)
  expect(await readdir(dataDir)).toEqual(['master.key'])
  const again = await openMasterKeys({ dataDir })
  expect(again.current()).toEqual(first.current())
  expect(again.find(first.current().id)).toEqual(first.current())
  expect(first.current().bytes).toHaveLength(32)
  expect(again.find('0'.repeat(16))).toBeNull()
})

test('a draft that a killed server left is no key', async () => {
  await writeFile(`${masterKeyFile(dataDir)}.new`, 'half a k')
  await openMasterKeys({ dataDir })
  expect(await readdir(dataDir)).toEqual(['master.key'])
})

test.each(['640', '604', '666'])('a file with mode %s is refused, and how to mend it is said', async (mode) => {
  await openMasterKeys({ dataDir })
  await chmod(masterKeyFile(dataDir), Number.parseInt(mode, 8))
  await expect(openMasterKeys({ dataDir })).rejects.toMatchObject({
    message: expect.stringContaining(`mode ${mode} instead of 600`),
    fix: expect.stringContaining('chmod 600'),
  })
})

test('keys that are given are taken in their order, and no file is made', async () => {
  const [fresh, old] = [newKey(), newKey()]
  const keys = await openMasterKeys({ dataDir, given: ` ${fresh} , ${old}\n` })
  expect(Buffer.from(keys.current().bytes).toString('base64')).toBe(fresh)
  await keys.begin()
  await keys.finish()
  expect(Buffer.from(keys.current().bytes).toString('base64')).toBe(fresh)
  expect(await readdir(dataDir)).toEqual([])
})

test('a new key is in the file before it is used, and the old one until it is not', async () => {
  const keys = await openMasterKeys({ dataDir })
  const old = keys.current()
  await keys.begin()
  const fresh = keys.current()
  expect(fresh.id).not.toBe(old.id)
  expect(keys.find(old.id)).toEqual(old)
  const restarted = await openMasterKeys({ dataDir })
  expect([restarted.current(), restarted.find(old.id)]).toEqual([fresh, old])
  await keys.finish()
  expect(keys.find(old.id)).toBeNull()
  expect((await openMasterKeys({ dataDir })).find(old.id)).toBeNull()
  expect((await stat(masterKeyFile(dataDir))).mode & 0o777).toBe(0o600)
})

test.each([
  ['too short', randomBytes(31).toString('base64')],
  ['too long', randomBytes(33).toString('base64')],
  ['not base64', `${'%'.repeat(20)}${newKey()}`],
  ['empty between commas', `${newKey()},`],
])('a key that is %s is refused without being quoted', async (_, given) => {
  const error = (await openMasterKeys({ dataDir, given }).catch((reason: unknown) => reason)) as Error & { fix: string }
  expect(error.message).toMatch(/^SKILLET_MASTER_KEY: key [12] is not 32 bytes in base64\.$/)
  expect(error.fix).toContain('openssl rand')
})

test('a file whose keys cannot be read is neither used nor replaced', async () => {
  await writeFile(masterKeyFile(dataDir), 'no key\n', { mode: 0o600 })
  await expect(openMasterKeys({ dataDir })).rejects.toThrow('is not 32 bytes')
  expect(await readFile(masterKeyFile(dataDir), 'utf8')).toBe('no key\n')
})
