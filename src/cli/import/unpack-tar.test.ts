import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import tar from 'tar-stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { unpackTar } from './unpack-tar.ts'

const LIMITS = { packageBytes: 1000, packageEntries: 2, pathChars: 100 }

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-tar-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function unpacked(pax: Record<string, string>): Promise<string> {
  const pack = tar.pack()
  pack.entry({ name: 'SKILL.md', pax }, 'Tells.')
  pack.finalize()
  await writeFile(join(folder, 'a.tar.gz'), gzipSync(await buffer(pack)))
  await unpackTar(join(folder, 'a.tar.gz'), folder, LIMITS)
  return readFile(join(folder, 'SKILL.md'), 'utf8')
}

test('what a tar says about its files is not read without end: it would be held in memory', async () => {
  expect(await unpacked({ comment: 'short' })).toBe('Tells.')
  await expect(unpacked({ comment: 'x'.repeat(100_000) })).rejects.toMatchObject({
    message: 'The archive cannot be unpacked.',
    why: 'It has more than 1000 bytes.',
  })
})
