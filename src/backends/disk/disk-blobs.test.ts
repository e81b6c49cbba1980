import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { blobsContract } from '../contract/blobs-contract.ts'
import { type DiskBlobs, openDiskBlobs } from './disk-blobs.ts'

let root: string
const opened: DiskBlobs[] = []
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'skillet-blobs-'))
})
afterEach(async () => {
  for (const blobs of opened.splice(0)) await blobs.close()
  await rm(root, { recursive: true, force: true })
})

async function open(): Promise<DiskBlobs> {
  const blobs = await openDiskBlobs({
    folder: join(root, 'blobs'),
    secretFile: join(root, 'upload.secret'),
    baseUrl: () => 'http://127.0.0.1:8787/',
  })
  opened.push(blobs)
  return blobs
}

async function files(): Promise<string[]> {
  const entries = await readdir(join(root, 'blobs'), { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
}

blobsContract('disk', async () => {
  const blobs = await open()
  return { blobs, count: async () => (await files()).length, close: () => blobs.close() }
})

async function* one(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

test('blobs are there after the folder is opened again, and what a crash left is not', async () => {
  const first = await open()
  const { sha256 } = await first.put(one('kept'), { maxBytes: 10 })
  await first.close()
  await writeFile(join(root, 'blobs', 'incoming', 'half-written'), 'lef')
  const second = await open()
  expect(await second.has(sha256)).toBe(true)
  expect(await files()).toEqual([await second.localPath(sha256)])
})

test('only the owner can look at the files', async () => {
  const blobs = await open()
  const { sha256 } = await blobs.put(one('private'), { maxBytes: 10 })
  expect(await mode(join(root, 'blobs'))).toBe('700')
  expect(await mode(await blobs.localPath(sha256))).toBe('600')
  expect(await mode(join(root, 'upload.secret'))).toBe('600')
})

test('200 MB go through without staying in memory', async () => {
  const script = fileURLToPath(new URL('./fixtures/put-large.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [script, root])
  const { size, grown } = JSON.parse(stdout) as { size: number; grown: number }
  expect(size).toBe(200 * 2 ** 20)
  expect(grown).toBeLessThan(100 * 2 ** 20)
})

test('an upload URL is verified by the server that signed it, also after a restart', async () => {
  const upload = { id: 'upl_1', size: 5, sha256: 'ab'.repeat(32), expires_at: '2999-01-01T00:00:00.000Z' }
  const first = await open()
  const url = new URL(first.uploadUrl(upload).url)
  expect(url.href).toMatch(/^http:\/\/127\.0\.0\.1:8787\/api\/uploads\/upl_1\?expires=/)
  await first.close()
  expect((await open()).verifyUpload(url)).toEqual(upload)
})

test('all blobs are listed, and nothing else that lies there', async () => {
  const blobs = await open()
  const kept = await Promise.all(['a', 'b', 'c'].map((text) => blobs.put(one(text), { maxBytes: 10 })))
  await writeFile(join(root, 'blobs', kept[0]!.sha256.slice(0, 2), 'notes.txt'), 'mine')
  const listed: string[] = []
  for await (const some of (await open()).shelves.list()) listed.push(...some)
  expect(listed.toSorted()).toEqual(kept.map(({ sha256 }) => sha256).toSorted())
})

test('what is old and unused is swept; what is young, or found to be used, stays', async () => {
  const blobs = await open()
  const { sha256 } = await blobs.put(one('kept'), { maxBytes: 10 })
  const [past, future] = [Date.now() - 60_000, Date.now() + 60_000]
  expect(await blobs.shelves.sweep(sha256, past, async () => true)).toBe(false)
  expect(await blobs.shelves.sweep(sha256, future, async () => false)).toBe(false)
  expect(await blobs.has(sha256)).toBe(true)
  expect(await blobs.shelves.sweep(sha256, future, async () => true)).toBe(true)
  expect(await blobs.has(sha256)).toBe(false)
  expect(await blobs.shelves.sweep(sha256, future, async () => true)).toBe(false)
})

test('a blob that is put again while it is swept is there afterwards, whoever was first', async () => {
  const blobs = await open()
  const { sha256 } = await blobs.put(one('again'), { maxBytes: 10 })
  const path = await blobs.localPath(sha256)
  const before = Date.now() - 60_000
  for (let i = 0; i < 100; i++) {
    await utimes(path, 1, 1)
    // The sweep is told that it is unused at whatever moment of the put this is.
    const turns = i
    const isUnused = async (): Promise<boolean> => {
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
      return true
    }
    await Promise.all([blobs.shelves.sweep(sha256, before, isUnused), blobs.put(one('again'), { maxBytes: 10 })])
    expect(await blobs.has(sha256)).toBe(true)
  }
})

async function mode(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8)
}
