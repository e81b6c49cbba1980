import { generateKeyPairSync, sign } from 'node:crypto'
import { appendFile, chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ZipFile } from 'yazl'
import { cli } from '../../tests/support/cli.ts'
import { httpServer } from '../../tests/support/http-server.ts'
import { PAYLOAD_TYPE, keyIdOf, preAuthEncoding } from '../model/signatures.ts'
import { packageDigest } from '../packages/digest.ts'
import { filesInFolder } from '../packages/verify-files.ts'
import { zipFolder } from './zip-folder.ts'

const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const PEM = publicKey.export({ type: 'spki', format: 'pem' }) as string
const STRANGER = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }) as string

/** As the server signs. */
function envelopeOf(digest: string, tenant = 'ten_1'): string {
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'notes@1.0.0', digest: { sha256: digest.slice('sha256:'.length) } }],
    predicateType: 'urn:skillet:version:v1',
    predicate: { tenant, skill: 'notes', version: '1.0.0' },
  }
  const payload = Buffer.from(JSON.stringify(statement))
  const sig = sign(null, preAuthEncoding(payload), privateKey).toString('base64')
  const signatures = [{ keyid: keyIdOf(PEM), sig }]
  return JSON.stringify({ payloadType: PAYLOAD_TYPE, payload: payload.toString('base64'), signatures })
}

let cwd: string
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'skillet-verify-command-'))
  await mkdir(join(cwd, 'notes/scripts'), { recursive: true })
  await writeFile(join(cwd, 'notes/SKILL.md'), '---\nname: notes\ndescription: Notes.\n---\nBody\n')
  await writeFile(join(cwd, 'notes/scripts/run.sh'), '#!/bin/sh\n')
  await chmod(join(cwd, 'notes/scripts/run.sh'), 0o755)
  const { digest } = await filesInFolder(join(cwd, 'notes'))
  const zip = await zipFolder(join(cwd, 'notes'))
  await cp(zip.file, join(cwd, 'notes.zip'))
  await zip.remove()
  await writeFile(join(cwd, 'notes.zip.dsse.json'), envelopeOf(digest))
  await writeFile(join(cwd, 'keys.pem'), `# ours\n${STRANGER}${PEM}`)
  await writeFile(join(cwd, 'stranger.pem'), STRANGER)
})
afterEach(() => rm(cwd, { recursive: true, force: true }))

const verify = (...args: string[]) => cli(['verify', ...args], { cwd })
const SIGNED = ['--signature', 'notes.zip.dsse.json', '--public-key', 'keys.pem']

test('a zip and a folder hold against what was signed, without a server', async () => {
  const zip = await verify('notes.zip', '--public-key', 'keys.pem', '--json')
  expect(zip.err).toBe('')
  expect(JSON.parse(zip.out)).toMatchObject({
    ok: true,
    files: 2,
    skill: 'notes',
    version: '1.0.0',
    tenant: 'ten_1',
    key: keyIdOf(PEM),
  })
  const folder = await verify('notes', ...SIGNED)
  expect(folder).toMatchObject({ code: 0, err: '' })
  expect(folder.out).toContain('notes 1.0.0 of tenant ten_1')
})

test.each<[string, () => Promise<void>, string]>([
  ['another byte', () => appendFile(join(cwd, 'notes/SKILL.md'), ' '), 'It was signed for the package sha256:'],
  ['another file', () => writeFile(join(cwd, 'notes/more.md'), ''), 'the files here are sha256:'],
  ['a file that may be run', () => chmod(join(cwd, 'notes/SKILL.md'), 0o755), 'the files here are sha256:'],
  ['a file that may not be run', () => chmod(join(cwd, 'notes/scripts/run.sh'), 0o644), 'the files here are sha256:'],
  ['a file less', () => rm(join(cwd, 'notes/scripts'), { recursive: true }), 'the files here are sha256:'],
  ['a link', () => symlink('SKILL.md', join(cwd, 'notes/link')), '"link" is a symbolic link'],
  [
    'what tools leave behind',
    () => mkdir(join(cwd, 'notes/.git')).then(() => writeFile(join(cwd, 'notes/.git/hooks'), '')),
    '".git" is left behind',
  ],
  [
    'what is named in .skilletignore',
    () => writeFile(join(cwd, 'notes/.skilletignore'), '*\n'),
    'the files here are sha256:',
  ],
])('a folder with %s does not', async (_, change, said) => {
  await change()
  const { code, out, err } = await verify('notes', ...SIGNED)
  expect([code, out]).toEqual([1, ''])
  expect(err).toContain(said)
})

test('a zip with more than the package does not, nor one that is none', async () => {
  const body = await readFile(join(cwd, 'notes/SKILL.md'))
  const zip = new ZipFile()
  zip.addBuffer(body, 'SKILL.md')
  zip.addBuffer(Buffer.from('x'), '.DS_Store')
  zip.end()
  await writeFile(join(cwd, 'more.zip'), await buffer(zip.outputStream as Readable))
  const more = await verify('more.zip', ...SIGNED)
  expect(more).toMatchObject({ code: 1, err: expect.stringContaining('.DS_Store') })
  await writeFile(join(cwd, 'none.zip'), 'no zip')
  expect(await verify('none.zip', ...SIGNED)).toMatchObject({ code: 1 })
})

test('only keys that are trusted count, and only what they say', async () => {
  const other = await verify('notes.zip', '--public-key', 'stranger.pem')
  expect(other).toMatchObject({ code: 1, err: expect.stringContaining('None of the trusted keys') })
  await writeFile(join(cwd, 'bad.json'), '{}')
  const bad = await verify('notes.zip', '--signature', 'bad.json', '--public-key', 'keys.pem')
  expect(bad).toMatchObject({ code: 1, err: expect.stringContaining('no DSSE envelope') })
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ type: 'spki', format: 'pem' })
  await writeFile(join(cwd, 'rsa.pem'), rsa)
  for (const key of ['rsa.pem', 'notes.zip', 'nowhere.pem']) {
    const wrong = await verify('notes.zip', '--public-key', key)
    expect(wrong, key).toMatchObject({ code: 2, err: expect.stringContaining('holds no keys') })
  }
  expect(await verify('notes', '--public-key', 'keys.pem')).toMatchObject({ code: 2 })
  expect(await verify('nowhere', ...SIGNED)).toMatchObject({ code: 2 })
})

test("the server's keys are trusted where none are named, each for its own tenant", async () => {
  const key = { id: keyIdOf(PEM), public_key: PEM, created_at: '', retired_at: null }
  const under = async (tenant: string) => {
    await using server = await httpServer((_, response) =>
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ items: [{ ...key, tenant }] })),
    )
    return await cli(['verify', 'notes.zip'], { cwd, env: { SKILLET_URL: server.url, SKILLET_KEY: 'sk_1' } })
  }
  expect(await under('ten_1')).toMatchObject({ code: 0 })
  expect(await under('ten_2')).toMatchObject({ code: 1, err: expect.stringContaining('not one of tenant ten_1') })
})

test('the digest is that of the upload', async () => {
  const { files, digest, faults } = await filesInFolder(join(cwd, 'notes'))
  expect(faults).toEqual([])
  expect(files.map(({ path, executable }) => [path, executable])).toEqual([
    ['SKILL.md', false],
    ['scripts/run.sh', true],
  ])
  expect(digest).toBe(packageDigest(files))
})
