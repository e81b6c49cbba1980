import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createSigner, readSecret } from './signing.ts'

const signer = createSigner(Buffer.alloc(32, 7))
const upload = { id: 'upl_01', size: 1234, sha256: 'ab'.repeat(32), expires_at: '2026-11-21T08:00:00.000Z' }
const before = Date.parse(upload.expires_at) - 1
const sign = (): URL => signer.sign(upload, 'https://skillet.example/base')

test('a signed URL gives back what it was signed for', () => {
  expect(sign().pathname).toBe('/base/api/uploads/upl_01')
  expect(signer.verify(sign(), before)).toEqual(upload)
})

test.each([
  ['id', (url: URL) => (url.pathname = '/base/api/uploads/upl_02')],
  ['size', (url: URL) => url.searchParams.set('size', '1235')],
  ['size, written otherwise', (url: URL) => url.searchParams.set('size', '1e9')],
  ['checksum', (url: URL) => url.searchParams.set('sha256', 'cd'.repeat(32))],
  ['expiry', (url: URL) => url.searchParams.set('expires', '2999-01-01T00:00:00.000Z')],
  ['signature', (url: URL) => url.searchParams.set('signature', 'A'.repeat(43))],
  ['signature, missing', (url: URL) => url.searchParams.delete('signature')],
  ['a parameter, twice', (url: URL) => url.searchParams.append('size', '1')],
  ['path', (url: URL) => (url.pathname = '/api/skills')],
  ['id, not decodable', (url: URL) => (url.pathname = '/api/uploads/%ff')],
])('a URL with another %s is refused', (_what, change) => {
  const url = sign()
  change(url)
  expect(() => signer.verify(url, before)).toThrow(expect.objectContaining({ code: 'upload_tampered' }))
})

test('the URL of another server is refused', () => {
  const other = createSigner(Buffer.alloc(32, 8)).sign(upload, 'https://skillet.example')
  expect(() => signer.verify(other, before)).toThrow(expect.objectContaining({ code: 'upload_tampered' }))
})

test('a URL is good until it expires', () => {
  expect(() => signer.verify(sign(), before + 1)).toThrow(expect.objectContaining({ code: 'upload_expired' }))
})

describe('the secret', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'skillet-secret-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  test('is made once, by whoever comes first', async () => {
    const file = join(folder, 'secret')
    const secrets = await Promise.all([readSecret(file), readSecret(file)])
    expect(secrets[0]).toHaveLength(32)
    expect(Buffer.from(secrets[1]).equals(Buffer.from(secrets[0]))).toBe(true)
    expect(Buffer.from(await readSecret(file)).equals(Buffer.from(secrets[0]))).toBe(true)
  })

  test('is not replaced when it is damaged', async () => {
    const file = join(folder, 'secret')
    await writeFile(file, 'short')
    await expect(readSecret(file)).rejects.toThrow(/5 bytes instead of 32/)
  })
})
