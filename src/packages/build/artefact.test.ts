import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type DiskBlobs, openDiskBlobs } from '../../backends/disk/disk-blobs.ts'
import { blobArtefact } from './artefact.ts'

let folder: string
let blobs: DiskBlobs
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-artefact-'))
  blobs = await openDiskBlobs({
    folder: join(folder, 'blobs'),
    secretFile: join(folder, 'upload.key'),
    baseUrl: () => 'http://127.0.0.1:1',
  })
})
afterEach(async () => {
  await blobs.close()
  await rm(folder, { recursive: true, force: true })
})

const files = (): Promise<number> =>
  readdir(join(folder, 'blobs'), { recursive: true, withFileTypes: true }).then(
    (entries) => entries.filter((entry) => entry.isFile()).length,
  )

test('what is written is kept under its digest, chunk by chunk, though the sender uses its buffer again', async () => {
  const artefact = blobArtefact(blobs, 2 ** 24)
  const buffer = Buffer.alloc(100_000)
  for (let i = 0; i < 50; i++) await artefact.write(buffer.fill(i))
  const sha256 = await artefact.keep()
  const chunks: Buffer[] = []
  for await (const chunk of await blobs.read(sha256)) chunks.push(chunk as Buffer)
  const stored = Buffer.concat(chunks)
  expect(stored.length).toBe(5_000_000)
  for (let i = 0; i < 50; i++) expect(stored[i * 100_000]).toBe(i)
})

test('what is dropped leaves nothing, also when nothing was written', async () => {
  const artefact = blobArtefact(blobs, 2 ** 24)
  await artefact.write(Buffer.alloc(200_000))
  await artefact.drop()
  await blobArtefact(blobs, 10).drop()
  expect(await files()).toBe(0)
})

test('storage that fails is told to the writer and to the keeper, and neither waits for ever', async () => {
  await rm(join(folder, 'blobs'), { recursive: true })
  const artefact = blobArtefact(blobs, 2 ** 24)
  const writing = (async () => {
    for (;;) await artefact.write(Buffer.alloc(100_000))
  })()
  await expect(writing).rejects.toThrow('ENOENT')
  await expect(artefact.keep()).rejects.toThrow('ENOENT')
  await artefact.drop()
})

test('nothing written is nothing to keep', async () => {
  await expect(blobArtefact(blobs, 10).keep()).rejects.toThrow('wrote no bundle')
})
