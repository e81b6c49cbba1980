import { createReadStream } from 'node:fs'
import { chmod, mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { extract } from 'tar-stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LONG, newNote } from '../backends/contract/engine-fixtures.ts'
import { masterKeyFile, openMasterKeys } from '../backends/disk/master-key.ts'
import { OPERATOR_TENANT } from '../model/access.ts'
import { blobPath } from './backup-format.ts'
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

async function names(file: string): Promise<string[]> {
  const tar = extract()
  createReadStream(file).pipe(tar)
  const found = []
  for await (const entry of tar) {
    found.push(entry.header.name)
    entry.resume()
  }
  return found
}

test('what was backed up is there after restoring it, private and usable', async () => {
  const { place, run, archive, bundle } = await state.fill()
  const file = await state.backup()
  const target = join(root, 'restored')
  const progress: number[] = []
  const manifest = await restoreBackup(file, target, (done, of) => progress.push(done / of))
  // Of the stage there is a deployment whose bundle never was a file.
  expect(manifest).toMatchObject({ skillet: '1.2.3', keys: true, missing: [place.deployment.bundle_blob] })
  expect(progress.at(-1)).toBe(1)
  const modes = await Promise.all(
    ['', 'blobs', 'skillet.db', 'master.key', 'upload.key', blobPath(archive)].map(async (name) =>
      ((await stat(join(target, name))).mode & 0o777).toString(8),
    ),
  )
  expect(modes).toEqual(['700', '700', '600', '600', '600', '600'])
  expect((await readdir(target)).toSorted()).toEqual(['blobs', 'master.key', 'skillet.db', 'upload.key'])
  expect(await readdir(root)).toHaveLength(3)
  await state.close()
  await state.open(target)
  expect((await state.engine.runs.take('default', 1, LONG)).map((claim) => claim.run.id)).toEqual([run])
  expect((await buffer(await state.blobs.read(bundle))).length).toBe(600_000)
  const vault = state.engine.vault(await openMasterKeys({ dataDir: target }))
  expect(await vault.get('a/secret', 1)).toBe('hunter2')
  const log = await state.engine.audit.read(OPERATOR_TENANT.id, 0, 100)
  expect(log.at(-1)).toMatchObject({ action: 'state.backup', actor: 'key_1', outcome: 'done', detail: { keys: true } })
})

test('without keys no key is in it', async () => {
  await state.fill()
  const file = await state.backup({ keys: false })
  expect((await names(file)).filter((name) => name.endsWith('.key'))).toEqual([])
  expect(await restoreBackup(file, join(root, 'restored'))).toMatchObject({ keys: false })
})

test('a master key that is exchanged meanwhile opens all that is in it', async () => {
  const { vault } = await state.fill()
  const old = (await readFile(masterKeyFile(state.data), 'utf8')).trim()
  const [stream] = await Promise.all([state.begin(), vault.rotate(newNote(OPERATOR_TENANT.id, 'vault.rotate'))])
  const file = join(root, 'backup.tar')
  await writeFile(file, await buffer(stream))
  const target = join(root, 'restored')
  await restoreBackup(file, target)
  expect(await readFile(masterKeyFile(target), 'utf8')).toContain(old)
  await state.close()
  await state.open(target)
  expect(await state.engine.vault(await openMasterKeys({ dataDir: target })).get('a/secret', 1)).toBe('hunter2')
})

test('blobs are held until it was read, or given up, and nothing is left in the data folder', async () => {
  await state.fill()
  const drafts = async (): Promise<string[]> => (await readdir(state.data)).filter((name) => name.startsWith('backup-'))
  const read = await state.begin()
  expect([state.held, (await drafts()).length]).toEqual([1, 1])
  await buffer(read)
  await vanished(drafts)
  const left = await state.begin()
  const reader = left.getReader()
  await reader.read()
  await reader.cancel()
  await vanished(drafts)
  const unread = await state.begin()
  await unread.cancel()
  await vanished(drafts)
  const stop = new AbortController()
  const stopped = await state.begin({ signal: stop.signal })
  stop.abort(new Error('the server stops'))
  await expect(buffer(stopped)).rejects.toThrow('the server stops')
  await vanished(drafts)
  await expect(state.begin({ signal: stop.signal })).rejects.toThrow('the server stops')
  await vanished(drafts)
  await mkdir(join(state.data, 'backup-of-a-crash'))
  await state.close()
  await state.open()
  expect(await drafts()).toEqual([])
})

async function vanished(drafts: () => Promise<string[]>): Promise<void> {
  while ((await drafts()).length > 0) await new Promise((resolve) => setTimeout(resolve, 1))
  expect(state.held).toBe(0)
}

test('a folder that is not empty is left alone; an empty one is taken', async () => {
  const file = await state.backup()
  await expect(restoreBackup(file, state.data)).rejects.toThrow(`The folder "${state.data}" is not empty.`)
  await expect(restoreBackup(file, file)).rejects.toThrow('is not empty')
  const empty = join(root, 'empty')
  await mkdir(empty)
  await chmod(empty, 0o755)
  await restoreBackup(file, empty)
  expect((await stat(empty)).mode & 0o777).toBe(0o700)
  const deep = join(root, 'not', 'there', 'yet')
  await restoreBackup(file, deep)
  expect(await readdir(deep)).toContain('skillet.db')
})
