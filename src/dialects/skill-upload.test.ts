import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openDiskBlobs } from '../backends/disk/disk-blobs.ts'
import { SkilletError } from '../model/errors.ts'
import { unpack } from '../packages/zip/unpack.ts'
import { LIMITS } from '../model/sizes.ts'
import { receiveSkill, type SkillUpload, type UploadLimits } from './skill-upload.ts'

let folder: string
let blobs: Awaited<ReturnType<typeof openDiskBlobs>>
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-form-'))
  const secretFile = join(folder, 'upload.key')
  blobs = await openDiskBlobs({ folder: join(folder, 'blobs'), secretFile, baseUrl: () => 'http://localhost' })
})
afterAll(async () => {
  await blobs.close()
  await rm(folder, { recursive: true })
})

const MOST: UploadLimits = { files: 5, bytes: 100_000, fileBytes: 60_000 }
const TYPE = 'multipart/form-data; boundary=edge'
const SKILL_MD = '---\nname: tale\ndescription: Tells.\n---\nTell.\n'

interface Part {
  readonly name?: string
  readonly filename?: string | null
  readonly content: string | Buffer
}

/** A form as clients write it. */
function form(parts: readonly Part[]): Buffer {
  const pieces = parts.flatMap(({ name = 'files[]', filename = null, content }) => [
    `--edge\r\nContent-Disposition: form-data; name="${name}"`,
    filename === null ? '' : `; filename="${filename}"\r\nContent-Type: application/octet-stream`,
    '\r\n\r\n',
    content,
    '\r\n',
  ])
  return Buffer.concat([...pieces, '--edge--\r\n'].map((piece) => Buffer.from(piece as string)))
}

const file = (filename: string, content: string | Buffer = 'x'): Part => ({ filename, content })

function receive(
  body: Buffer | AsyncIterable<Uint8Array>,
  type: string | null = TYPE,
  step = 4096,
): Promise<SkillUpload> {
  const stream = (): AsyncIterable<Uint8Array> => (Buffer.isBuffer(body) ? slices(body, step) : body)
  const header = (name: string): string | undefined => (name === 'content-type' ? (type ?? undefined) : undefined)
  return receiveSkill({ header, stream, signal: () => new AbortController().signal }, blobs, MOST)
}

async function* slices(bytes: Buffer, step: number): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step)
}

/** What a reader of the archive finds. */
async function filesOf({ archive }: SkillUpload): Promise<Record<string, number>> {
  const targetDir = join(folder, randomBytes(8).toString('hex'))
  const { unpacked, findings } = await unpack({
    archive: await blobs.localPath(archive.sha256),
    targetDir,
    limits: LIMITS,
  })
  if (unpacked === null) throw new Error(JSON.stringify(findings))
  return Object.fromEntries(unpacked.files.map(({ path, size }) => [path, size]))
}

async function refusal(work: Promise<unknown>): Promise<SkilletError> {
  try {
    await work
  } catch (error) {
    if (error instanceof SkilletError) return error
    throw error
  }
  throw new Error('It was taken.')
}

const everyFile = async (): Promise<string[]> =>
  (await readdir(join(folder, 'blobs'), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)

describe('what is taken', () => {
  test.each([1, 7, 100_000])('files and fields in any order, in pieces of %d bytes', async (step) => {
    const body = form([
      { name: 'display_name', content: 'Früher' },
      file('tale/SKILL.md', SKILL_MD),
      { name: 'other', content: '' },
      file('tale/a/b.bin', Buffer.alloc(50_000, 7)),
      file('tale/empty', ''),
      { name: 'default', content: 'true' },
    ])
    const upload = await receive(body, TYPE, step)
    expect(Object.fromEntries(upload.fields)).toEqual({ display_name: 'Früher', other: '', default: 'true' })
    expect(await filesOf(upload)).toEqual({ 'SKILL.md': SKILL_MD.length, 'a/b.bin': 50_000, empty: 0 })
  })

  test('files without a folder, and paths as Windows writes them', async () => {
    const body = form([file('SKILL.md', SKILL_MD), file('scripts\\\\run.py'), file('./notes/Über%22uns%22.txt')])
    expect(Object.keys(await filesOf(await receive(body)))).toEqual([
      'SKILL.md',
      'notes/Über"uns".txt',
      'scripts/run.py',
    ])
  })

  test('a zip alone is the archive, byte for byte; with others it is one of the files', async () => {
    const zip = await buffer(await blobs.read((await receive(form([file('tale/SKILL.md', SKILL_MD)]))).archive.sha256))
    const alone = await receive(form([{ name: 'files', filename: 'whatever', content: zip }]))
    expect((await buffer(await blobs.read(alone.archive.sha256))).equals(zip)).toBe(true)
    const beside = await receive(form([file('tale/template.zip', zip), file('tale/SKILL.md', SKILL_MD)]))
    expect(await filesOf(beside)).toEqual({ 'SKILL.md': SKILL_MD.length, 'template.zip': zip.length })
  })
})

describe('what is not', () => {
  let before: string[]
  beforeEach(async () => {
    before = await everyFile()
  })

  const big = 'x'.repeat(5000)
  const CASES: [what: string, body: Buffer, code: string, text: string, type?: string | null][] = [
    ['nothing', Buffer.alloc(0), 'bad_request', 'Unexpected end'],
    ['no files', form([{ name: 'display_name', content: 'x' }]), 'bad_request', 'There are no files'],
    ['another type', form([]), 'unsupported_media_type', '"application/json"', 'application/json'],
    ['no type', form([]), 'unsupported_media_type', 'nothing that is named', null],
    ['a type that begins the same', form([]), 'unsupported_media_type', 'multipart/form-dataX', 'multipart/form-dataX'],
    ['no boundary', form([]), 'bad_request', 'no boundary', 'multipart/form-data'],
    ['another boundary', form([file('SKILL.md')]), 'bad_request', 'Unexpected end', 'multipart/form-data; boundary=no'],
    ['another field', form([{ name: 'file', filename: 'SKILL.md', content: 'x' }]), 'bad_request', 'came as "file"'],
    ['a file without a name', form([{ filename: '', content: 'x' }]), 'bad_request', 'A file has no name'],
    ['a field that is huge', form([{ name: 'display_name', content: big }]), 'bad_request', 'more than 4096 bytes'],
    [
      'many fields',
      form(Array.from({ length: 17 }, (_, i) => ({ name: `f${i}`, content: '' }))),
      'bad_request',
      'more than 16',
    ],
    ['many files', form(Array.from({ length: 6 }, (_, i) => file(`t/${i}`))), 'body_too_large', 'more than 5 files'],
    [
      'a large file',
      form([file('t/a', Buffer.alloc(60_001))]),
      'body_too_large',
      '"t/a" has more than the 60000 bytes',
    ],
    [
      'much in all',
      form([file('t/a', Buffer.alloc(50_000)), file('t/b', Buffer.alloc(50_001))]),
      'body_too_large',
      'more than the 100000 bytes allowed together',
    ],
    [
      'a large zip',
      form([file('t.zip', `PK\u0003\u0004${'x'.repeat(60_000)}`)]),
      'body_too_large',
      'more than the 60000',
    ],
    [
      'a way out',
      form([file('tale/../../etc/passwd')]),
      'package_rejected',
      '"tale/../../etc/passwd" leads out of its folder.',
    ],
    ['a way out with backslashes', form([file('..\\\\up')]), 'package_rejected', '"../up" leads out'],
    ['an absolute path', form([file('/etc/passwd')]), 'package_rejected', 'is an absolute path'],
    ['a drive', form([file('C:\\\\x')]), 'package_rejected', 'begins with a drive'],
    ['a folder', form([file('tale/')]), 'package_rejected', 'names a folder'],
    ['a path with holes', form([file('tale//SKILL.md')]), 'package_rejected', 'an empty or "." part'],
    ['a long path', form([file(`t/${'x'.repeat(300)}`)]), 'package_rejected', 'A path of 302 characters'],
    [
      'a name in another encoding',
      Buffer.from(form([file('t/caf#.md')]).map((byte) => (byte === 0x23 ? 0xe9 : byte))),
      'package_rejected',
      'The name "t/caf\ufffd.md" is not valid UTF-8.',
    ],
    ['characters that nobody sees', form([file('t/a\u0007b')]), 'package_rejected', 'holds a control character'],
    ['no SKILL.md', form([file('tale/readme.md')]), 'package_rejected', 'top-level folder. There is none.'],
    [
      'a SKILL.md too deep',
      form([file('x/tale/SKILL.md', SKILL_MD)]),
      'package_rejected',
      'SKILL.md file must be exactly in the top-level folder. There is "x/tale/SKILL.md".',
    ],
    [
      'two folders',
      form([file('one/SKILL.md', SKILL_MD), file('two/SKILL.md', SKILL_MD)]),
      'package_rejected',
      'SKILL.md file must be exactly in the top-level folder.',
    ],
  ]
  test.each(CASES)('%s', async (_what, body, code, text, type = TYPE) => {
    const error = await refusal(receive(body, type))
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(text)])
    if (code === 'package_rejected') {
      expect(error.data['findings']).toMatchObject([{ rule: expect.any(String), fix: expect.any(String) }])
    }
  })

  test('a body that ends too early leaves nothing behind, wherever it ends', async () => {
    const body = form([
      file('tale/SKILL.md', SKILL_MD),
      { name: 'display_name', content: 'x' },
      file('tale/a', 'y'.repeat(500)),
    ])
    // The last line break may be missing.
    for (let end = 0; end < body.length - 4; end += 11) {
      expect([end, (await refusal(receive(body.subarray(0, end), TYPE, 64))).code]).toEqual([end, 'bad_request'])
    }
    expect(await everyFile()).toEqual(before)
  })

  test('a client that goes away leaves nothing behind', async () => {
    const body = form([file('tale/SKILL.md', SKILL_MD), file('tale/a', 'y'.repeat(5000))])
    async function* gone(): AsyncGenerator<Uint8Array, void> {
      yield body.subarray(0, 3000)
      throw new Error('The client has gone.')
    }
    await expect(receive(gone())).rejects.toThrow('The client has gone.')
    expect(await everyFile()).toEqual(before)
  })

  test('whatever is sent ends in an upload or a refusal', async () => {
    const body = form([
      { name: 'display_name', content: 'x' },
      file('tale/SKILL.md', SKILL_MD),
      file('tale/a', 'y'.repeat(200)),
    ])
    const codes = new Set<string>()
    for (let round = 0; round < 150; round++) {
      const bytes = Buffer.from(body)
      for (const [at, value] of pairs(randomBytes(12))) bytes[at % bytes.length] = value
      try {
        await receive(bytes, TYPE, 1 + (round % 90))
        codes.add('taken')
      } catch (error) {
        if (!(error instanceof SkilletError)) throw error
        codes.add(error.code)
      }
    }
    expect([...codes].filter((code) => !['taken', 'bad_request', 'package_rejected'].includes(code))).toEqual([])
  })
})

/** Places and what is written there. */
function* pairs(bytes: Buffer): Generator<[at: number, value: number]> {
  for (let i = 0; i + 3 <= bytes.length; i += 3) yield [bytes.readUInt16LE(i), bytes[i + 2]!]
}

test.each([
  ['before its first part', Buffer.alloc(0)],
  ['behind its last part', form([file('tale/SKILL.md', SKILL_MD)])],
])('a form that goes on for ever %s is read no further than it may be long', async (_where, begin) => {
  const longest = 100 * (MOST.bytes + LIMITS.bodyBytes)
  let sent = 0
  async function* endless(): AsyncGenerator<Uint8Array, void> {
    yield begin
    for (; sent < longest; sent += 65_536) yield Buffer.alloc(65_536, 'x')
  }
  expect(await refusal(receive(endless()))).toMatchObject({ code: 'body_too_large' })
  expect(sent).toBeLessThan(longest)
})

test('a file is read no faster than it is written: not even a large one is held', async () => {
  let sent = 0
  async function* endless(): AsyncGenerator<Uint8Array, void> {
    yield form([file('tale/a', '')]).subarray(0, -12)
    for (;;) {
      sent += 10_000
      yield Buffer.alloc(10_000)
    }
  }
  expect((await refusal(receive(endless()))).code).toBe('body_too_large')
  expect(sent).toBeLessThan(1_000_000)
})
