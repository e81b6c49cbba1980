import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newPackage } from '../backends/contract/engine-fixtures.ts'
import { LIMITS } from '../model/sizes.ts'
import { PACKAGE_FILES, createPackageFiles } from './package-files.ts'

const SIZE = 2 ** 20
const file = (path: string, size: number) => ({ path, size, sha256: '0'.repeat(64), executable: false })
const PACKAGE = {
  ...newPackage('sha256:1'),
  files: [file('long.md', SIZE), file('empty', 0), file('huge', LIMITS.fileReadBytes + 1), file('gone', 1)],
}

let folder: string
/** How many use the folder just now. */
let uses = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-files-'))
  await mkdir(join(folder, PACKAGE_FILES))
  await writeFile(join(folder, PACKAGE_FILES, 'long.md'), 'abcdefgh'.repeat(SIZE / 8))
  await writeFile(join(folder, PACKAGE_FILES, 'empty'), '')
})
afterAll(() => rm(folder, { recursive: true }))

const unused = () => Promise.reject(new Error('Nothing is archived here.'))
const files = createPackageFiles({
  folders: { ensure: () => (uses++, Promise.resolve({ folder, release: () => void uses-- })) },
  blobs: { put: unused, read: unused, has: unused },
  archives: { findArchive: unused, findArchives: unused, keepArchive: unused },
  reader: { pack: unused },
})

test('a file, and a range of it, piece by piece; the folder stays until it is read', async () => {
  const reader = (await files.stream(PACKAGE, 'long.md')).getReader()
  const first = await reader.read()
  expect(first.value!.byteLength).toBeLessThan(SIZE / 2)
  expect(uses).toBe(1)
  let size = first.value!.byteLength
  for (let next = await reader.read(); !next.done; next = await reader.read()) size += next.value.byteLength
  expect(size).toBe(SIZE)
  await expect.poll(() => uses).toBe(0)
  expect(await text(await files.stream(PACKAGE, 'long.md', { start: 3, end: 9 }))).toBe('defgha')
  expect(await text(await files.stream(PACKAGE, 'long.md', { start: SIZE - 2 }))).toBe('gh')
  expect(await text(await files.stream(PACKAGE, 'empty'))).toBe('')
  await expect.poll(() => uses).toBe(0)
})

test('whoever goes away, and what is not there, lets the folder go', async () => {
  await (await files.stream(PACKAGE, 'long.md')).cancel()
  await expect(files.stream(PACKAGE, 'gone')).rejects.toThrow('ENOENT')
  await expect(files.stream(PACKAGE, 'other')).rejects.toMatchObject({ code: 'not_found' })
  await expect(files.stream(PACKAGE, 'huge')).rejects.toMatchObject({ code: 'file_too_large' })
  await expect.poll(() => uses).toBe(0)
})
