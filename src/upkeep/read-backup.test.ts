import { createHash } from 'node:crypto'
import { readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pack } from 'tar-stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { now } from '../model/json.ts'
import { END, MANIFEST, type Manifest, blobPath } from './backup-format.ts'
import { BackedUpState } from './fixtures/backed-up-state.ts'
import { restoreBackup } from './restore.ts'

let state: BackedUpState
let root: string
beforeEach(async () => {
  state = await BackedUpState.make()
  root = state.root
})
afterEach(async () => {
  expect(state.faults).toEqual([])
  await state.remove()
})

test('a file that was cut off anywhere is refused, and nothing of it is kept', async () => {
  await state.fill()
  const file = await state.backup()
  const whole = await readFile(file)
  const cuts = [0, 100, 512, 1024, Math.floor(whole.length / 2), whole.length - 1024 - 512, whole.length - 1024 - 1024]
  const cutFile = join(root, 'cut.tar')
  for (const at of cuts) {
    await writeFile(cutFile, whole.subarray(0, at))
    await expect(restoreBackup(cutFile, join(root, 'restored')), `cut at ${at}`).rejects.toMatchObject({
      code: 'backup_invalid',
    })
    expect((await readdir(root)).toSorted()).toEqual(['backup.tar', 'cut.tar', 'data'])
  }
})

test('a bit that has turned, anywhere, is found', async () => {
  await state.fill()
  const whole = await readFile(await state.backup())
  const file = join(root, 'turned.tar')
  let at = 700
  for (let i = 0; i < 60; i++) {
    const turned = Buffer.from(whole)
    turned[at]! ^= 1
    await writeFile(file, turned)
    const wrong = await restoreBackup(file, join(root, 'restored')).then(
      () => null,
      (error: unknown) => error,
    )
    // In what fills up the blocks of a tar, and in its times and owners, nothing is kept.
    if (wrong === null) await rm(join(root, 'restored'), { recursive: true })
    else expect(wrong, `at ${at}`).toMatchObject({ code: 'backup_invalid' })
    if (wrong === null) expect(isMatterOfTar(whole, at), `at ${at}`).toBe(true)
    at += Math.floor(whole.length / 61)
  }
})

/** Whether nothing that is restored lies there. */
function isMatterOfTar(whole: Buffer, at: number): boolean {
  for (let header = 0; header + 512 <= whole.length;) {
    const size = parseInt(whole.toString('latin1', header + 124, header + 136), 8) || 0
    if (at < header + 512) return true
    if (at < header + 512 + size) return false
    header += 512 + Math.ceil(size / 512) * 512
    if (at < header) return true
  }
  return true
}

type Entry = readonly [name: string, content: string | Buffer, type?: 'file' | 'symlink' | 'directory']

/** A tar of somebody else's making. */
async function tarOf(entries: readonly Entry[]): Promise<string> {
  const tar = pack()
  for (const [name, content, type = 'file'] of entries) {
    if (type === 'file') tar.entry({ name, type }, Buffer.from(content as string))
    else tar.entry({ name, type, linkname: '/etc/passwd' })
  }
  tar.finalize()
  const chunks: Uint8Array[] = []
  for await (const chunk of tar) chunks.push(chunk as Uint8Array)
  const file = join(root, 'foreign.tar')
  await writeFile(file, Buffer.concat(chunks))
  return file
}

const sha = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex')

/** With right checksums all over. */
function forged(members: readonly Entry[], change: object = {}, listed: readonly Entry[] = members): Entry[] {
  const manifest = JSON.stringify({
    format: 'skillet-backup',
    version: 1,
    skillet: '1.2.3',
    schema: 1,
    created_at: now(),
    keys: false,
    missing: [],
    members: listed.map(([name, content]) => ({
      name,
      size: Buffer.from(content as string).length,
      sha256: sha(content),
    })),
    ...change,
  } satisfies Record<keyof Manifest, unknown>)
  return [
    [MANIFEST, manifest],
    ...members,
    [END, JSON.stringify({ manifest_sha256: sha(manifest), members: listed.length })],
  ]
}

const DB: Entry = ['skillet.db', 'no database']
const BLOB: Entry = [blobPath(sha('x')), 'x']

test.each<[string, Entry[], string]>([
  ['a tar of something else', [['hello.txt', 'hello']], 'is no backup of Skillet'],
  ['a manifest of something else', [[MANIFEST, '{"format":"other"}']], 'is no backup of Skillet'],
  ['a manifest that is no JSON', [[MANIFEST, 'hello']], 'is no backup of Skillet'],
  ['a later format', forged([DB], { version: 2 }), 'has format 2; this Skillet knows format 1'],
  ['a manifest with more', forged([DB], { more: 1 }), 'its manifest is wrong'],
  ['no database', forged([BLOB]), 'does not begin with the database'],
  ['a name that leads out', forged([DB, ['../../out', 'x']]), 'manifest is wrong at /members/1'],
  ['an absolute name', forged([DB, ['/tmp/out', 'x']]), 'manifest is wrong at /members/1'],
  ['a name of no form', forged([DB, ['server.json', 'x']]), 'manifest is wrong at /members/1'],
  ['a blob under another name', forged([DB, [blobPath(sha('y')), 'x']]), 'manifest is wrong at /members/1'],
  ['a name twice', forged([DB, BLOB, BLOB]), 'a name comes twice'],
  ['a member that is a link', forged([DB, [BLOB[0], '', 'symlink']], {}, [DB, BLOB]), '(symlink) where'],
  ['a member that is a folder', forged([[DB[0], '', 'directory']], {}, [DB]), '(directory) where'],
  ['a member that is not listed', forged([DB, ['master.key', 'x']], {}, [DB]), 'where "complete.json" should be'],
  ['a member that is missing', forged([DB], {}, [DB, BLOB]), 'where "blobs/'],
  ['another order', forged([BLOB, DB], {}, [DB, BLOB]), 'where "skillet.db" should be'],
  ['another size', forged([DB, [BLOB[0], 'xx']], {}, [DB, BLOB]), 'another size'],
  ['another content', forged([DB, [BLOB[0], 'z']], {}, [DB, BLOB]), 'is not what its manifest says'],
  ['something after the end', [...forged([DB]), ['skillet.db', 'again']], 'something follows its end'],
  [
    'another end',
    [...forged([DB]).slice(0, -1), [END, '{"manifest_sha256":"x","members":1}']],
    'its end does not belong',
  ],
  ['no database in it', forged([DB]), 'the database cannot be read'],
])('refused: %s', async (_, entries, said) => {
  const wrong = restoreBackup(await tarOf(entries), join(root, 'restored'))
  await expect(wrong).rejects.toMatchObject({ code: 'backup_invalid', message: expect.stringContaining(said) })
  expect((await readdir(root)).toSorted()).toEqual(['data', 'foreign.tar'])
})

test('what is no tar at all is refused, too', async () => {
  const file = join(root, 'notes.txt')
  await writeFile(file, 'x'.repeat(5000))
  await expect(restoreBackup(file, join(root, 'restored'))).rejects.toThrow(/is no backup of Skillet.*no tar/)
  await expect(restoreBackup(join(root, 'nothing'), join(root, 'restored'))).rejects.toMatchObject({ code: 'ENOENT' })
})

test('a database of a newer Skillet, and one that is damaged, are refused', async () => {
  await state.fill()
  await restoreBackup(await state.backup(), join(root, 'first'))
  const database = join(root, 'first', 'skillet.db')
  const sound = await readFile(database)
  const damaged = Buffer.from(sound).fill(7, 8192, 20_480)
  await expect(restored(damaged)).rejects.toThrow(/the database .*(damaged|malformed)/)
  const db = new DatabaseSync(database)
  db.exec('UPDATE schema_version SET version = 99')
  db.close()
  await expect(restored(await readFile(database))).rejects.toThrow('made by a newer Skillet')
  await restored(sound)
})

const restored = async (database: Buffer) =>
  restoreBackup(await tarOf(forged([['skillet.db', database]])), join(root, 'second'))
