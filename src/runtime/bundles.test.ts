import { mkdir, mkdtemp, readFile, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as otherWork } from 'node:timers/promises'
import { pack } from 'tar-stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDiskBlobs } from '../backends/disk/disk-blobs.ts'
import type { Blobs } from '../backends/ports.ts'
import { type BundleCache, type BundleCacheParts, openBundleCache } from './bundles.ts'

const HOUR_MS = 3_600_000

let root: string
let folder: string
let blobs: Blobs & { close(): Promise<void> }
const caches: BundleCache[] = []
const faults: string[] = []
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'skillet-bundles-'))
  folder = join(root, 'bundles')
  await mkdir(folder)
  const secretFile = join(root, 'upload.key')
  blobs = await openDiskBlobs({ folder: join(root, 'blobs'), secretFile, baseUrl: () => 'http://127.0.0.1' })
})
afterEach(async () => {
  await Promise.all(caches.splice(0).map((cache) => cache.close()))
  await blobs.close()
  await rm(root, { recursive: true, force: true })
  expect(faults.splice(0)).toEqual([])
})

const onError = (error: unknown, doing: string): void => void faults.push(`${doing}: ${String(error)}`)

async function open(options: Partial<BundleCacheParts> = {}): Promise<BundleCache> {
  const cache = await openBundleCache({ folder, blobs, onError, ...options })
  caches.push(cache)
  return cache
}

/** Stores a bundle with one file of so many bytes besides `main.py`. */
async function store(content: string, bytes: number = 0): Promise<string> {
  const tar = pack()
  tar.entry({ name: 'main.py' }, content)
  tar.entry({ name: 'data/big' }, Buffer.alloc(bytes))
  tar.finalize()
  return (await blobs.put(tar as AsyncIterable<Uint8Array>, { maxBytes: 2 ** 20 })).sha256
}

/** Unpacks and gives back at once. */
async function touch(cache: BundleCache, blob: string): Promise<void> {
  const use = await cache.ensure(blob)
  use.release()
}

const note = (blob: string): string => join(folder, `${blob}.size`)
const hoursAgo = (hours: number): number => (Date.now() - hours * HOUR_MS) / 1000
const age = (blob: string, hours: number): Promise<void> => utimes(note(blob), hoursAgo(hours), hoursAgo(hours))

/** The bundles that are there; nothing else may be. */
async function shelved(): Promise<string[]> {
  const names = (await readdir(folder)).toSorted()
  const whole = names.filter((name) => !name.endsWith('.size'))
  expect(names).toEqual(whole.flatMap((name) => [name, `${name}.size`]))
  return whole
}

test('what was not used for a day is removed, when the server starts and while it works; it is unpacked again when it is used', async () => {
  const [old, young] = [await store('old'), await store('young')]
  const first = await open()
  await touch(first, old)
  await touch(first, young)
  await first.sweep()
  expect(await shelved()).toEqual([old, young].toSorted())
  await first.close()

  await age(old, 25)
  await age(young, 23)
  const second = await open()
  await second.sweep()
  expect(await shelved()).toEqual([young])
  const use = await second.ensure(old)
  expect(await readFile(join(use.folder, 'main.py'), 'utf8')).toBe('old')
  use.release()
  await second.close()

  const third = await open({ unusedMs: 0 })
  await third.sweep()
  expect(await shelved()).toEqual([])
})

test('a use counts also when the server ends before it is over', async () => {
  const blob = await store('used')
  const first = await open()
  await touch(first, blob)
  await first.close()
  await age(blob, 23)
  const second = await open()
  await second.ensure(blob)
  await second.close()
  expect((await stat(note(blob))).mtimeMs).toBeGreaterThan(Date.now() - HOUR_MS)
})

test('what somebody uses stays, until the last of them has given it back', async () => {
  const blob = await store('used')
  const cache = await open({ unusedMs: 0, maxBytes: 0 })
  const [one, two] = await Promise.all([cache.ensure(blob), cache.ensure(blob)])
  await cache.sweep()
  one.release()
  one.release()
  await cache.sweep()
  expect(await readFile(join(two.folder, 'main.py'), 'utf8')).toBe('used')
  two.release()
  await cache.sweep()
  expect(await shelved()).toEqual([])
})

test('over the bound the one goes first that was used longest ago', async () => {
  const all = await Promise.all(['a', 'b', 'c', 'd'].map((name) => store(name, 100_000)))
  const [a, b, c, d] = all as [string, string, string, string]
  const first = await open()
  for (const blob of [a, b, c]) await touch(first, blob)
  await first.close()
  expect(Number(await readFile(note(a), 'utf8'))).toBeGreaterThan(100_000)
  await age(a, 2)
  await age(b, 3)
  await age(c, 1)
  // Three fit.
  const second = await open({ maxBytes: 350_000 })
  await second.sweep()
  expect(await shelved()).toEqual([a, b, c].toSorted())
  const held = await second.ensure(a)
  await touch(second, d)
  await second.sweep()
  expect(await shelved()).toEqual([a, c, d].toSorted())
  held.release()
})

test('a use at the same moment finds the bundle whole or unpacks it anew', async () => {
  const names = await Promise.all(Array.from({ length: 4 }, (_, i) => store(`skill ${i}`)))
  const cache = await open({ unusedMs: 0, maxBytes: 0 })
  const rounds = names.map(async (blob, i) => {
    for (let round = 0; round < 60; round++) {
      const sweeping = cache.sweep()
      // From before it begins to remove until it is about to be done.
      for (let turn = 0; turn < round % 12; turn++) await (turn < 6 ? null : otherWork())
      const use = await cache.ensure(blob)
      await sweeping
      expect(await readFile(join(use.folder, 'main.py'), 'utf8')).toBe(`skill ${i}`)
      expect((await readdir(join(use.folder, 'data'))).length).toBe(1)
      use.release()
    }
  })
  await Promise.all(rounds)
  await cache.sweep()
  expect(await shelved()).toEqual([])
})

test('nothing that a crash left half is taken for whole, and none of it stays', async () => {
  const blobsOf = await Promise.all(['noteless', 'alone', 'cut', 'whole', 'partial'].map((name) => store(name)))
  const [noteless, alone, cut, whole, partial] = blobsOf as [string, string, string, string, string]
  const first = await open()
  for (const blob of blobsOf) await touch(first, blob)
  await first.close()
  // As before notes were kept; before the folder was named; the disk was full in the note; while it was unpacked or removed.
  await rm(note(noteless))
  await rm(join(folder, alone), { recursive: true })
  await writeFile(note(cut), '12')
  await rename(join(folder, partial), join(folder, 'partial-1'))
  await rm(note(partial))
  await rm(join(folder, noteless, 'main.py'))

  const second = await open()
  await second.close()
  expect(await shelved()).toEqual([whole])
  const third = await open()
  const use = await third.ensure(noteless)
  expect(await readFile(join(use.folder, 'main.py'), 'utf8')).toBe('noteless')
})

test('what cannot be unpacked leaves nothing; what was removed by hand is unpacked again', async () => {
  const { sha256: broken } = await blobs.put(
    (async function* () {
      yield Buffer.alloc(700, 'x')
    })(),
    { maxBytes: 1000 },
  )
  const cache = await open()
  await expect(cache.ensure(broken)).rejects.toThrow()
  await expect(cache.ensure('0'.repeat(64))).rejects.toThrow()
  expect(await shelved()).toEqual([])
  const blob = await store('whole')
  await touch(cache, blob)
  await rm(join(folder, blob), { recursive: true })
  const use = await cache.ensure(blob)
  expect(await readFile(join(use.folder, 'main.py'), 'utf8')).toBe('whole')
  const abort = AbortSignal.abort(new Error('given up'))
  await expect(cache.ensure(blob, abort)).rejects.toThrow('given up')
})
