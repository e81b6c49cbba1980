import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
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

async function mode(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8)
}
