import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { blobsContract } from '../contract/blobs-contract.ts'
import { type DiskBlobs, openDiskBlobs } from './disk-blobs.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-blobs-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const open = (): Promise<DiskBlobs> =>
  openDiskBlobs({
    folder: join(folder, 'blobs'),
    secretFile: join(folder, 'upload.key'),
    baseUrl: () => 'http://127.0.0.1:1',
  })

blobsContract(async () => {
  const blobs = await open()
  return { blobs, close: () => blobs.close() }
})

test('what a killed server had not finished receiving is swept', async () => {
  await mkdir(join(folder, 'blobs', 'incoming'), { recursive: true })
  await writeFile(join(folder, 'blobs', 'incoming', 'half'), 'half')
  const blobs = await open()
  expect(await readdir(join(folder, 'blobs', 'incoming'))).toEqual([])
  await blobs.close()
})

const TERMS = { id: 'upl_1', size: 10, sha256: 'a'.repeat(64), expires_at: '2026-11-21T08:00:00.000Z' }
const before = Date.parse(TERMS.expires_at) - 1

test('a signed URL is good until it expires, also after a restart, and names what to send', async () => {
  const first = await open()
  const { url, method, headers } = first.uploadUrl(TERMS)
  expect([method, headers['content-length']]).toEqual(['PUT', '10'])
  await first.close()
  const second = await open()
  expect(second.verifyUpload(new URL(url), before)).toEqual(TERMS)
  expect(() => second.verifyUpload(new URL(url), before + 1)).toThrow(
    expect.objectContaining({ code: 'upload_expired' }),
  )
  await second.close()
  expect((await stat(join(folder, 'upload.key'))).mode & 0o777).toBe(0o600)
})

test.each([
  ['id', (url: URL) => (url.pathname = '/api/uploads/upl_2')],
  ['path', (url: URL) => (url.pathname = '/api/upload//upl_1')],
  ['size', (url: URL) => url.searchParams.set('size', '11')],
  ['checksum', (url: URL) => url.searchParams.set('sha256', 'b'.repeat(64))],
  ['expiry', (url: URL) => url.searchParams.set('expires', '2036-11-21T08:00:00.000Z')],
  ['signature', (url: URL) => url.searchParams.set('signature', 'c'.repeat(64))],
  ['no signature', (url: URL) => url.searchParams.delete('signature')],
])('a URL with another %s is refused', async (_, tamper) => {
  const blobs = await open()
  const url = new URL(blobs.uploadUrl(TERMS).url)
  tamper(url)
  expect(() => blobs.verifyUpload(url, before)).toThrow(expect.objectContaining({ code: 'upload_tampered' }))
  await blobs.close()
})

test('200 MB pass through without growing the process by 100 MB', async () => {
  const program = `
    import { openDiskBlobs } from ${JSON.stringify(new URL('./disk-blobs.ts', import.meta.url).href)}
    const blobs = await openDiskBlobs({ folder: ${JSON.stringify(join(folder, 'blobs'))}, secretFile: ${JSON.stringify(join(folder, 'key'))}, baseUrl: () => '' })
    const chunk = Buffer.alloc(65536, 7)
    async function* source() { for (let i = 0; i < 3200; i++) yield Buffer.from(chunk) }
    const before = process.memoryUsage.rss()
    let peak = 0
    const timer = setInterval(() => { peak = Math.max(peak, process.memoryUsage.rss()) }, 5)
    const { size } = await blobs.put(source(), { maxBytes: 2 ** 30 })
    clearInterval(timer)
    await blobs.close()
    console.log(JSON.stringify({ size, grown: (peak - before) / 2 ** 20 }))`
  await writeFile(join(folder, 'put.mjs'), program)
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'put.mjs')])
  const { size, grown } = JSON.parse(stdout) as { size: number; grown: number }
  expect(size).toBe(3200 * 65536)
  expect(grown).toBeLessThan(100)
})
