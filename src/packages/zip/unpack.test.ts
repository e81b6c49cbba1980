import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { constants, deflateRawSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ZipFile } from 'yazl'
import { createPackageReader } from '../package-reader.ts'
import type { ArchiveLimits } from './entries.ts'
import { endRecord, hostileZip, type TestArchive, type TestEntry } from './hostile-zip.ts'
import type { UnpackResult } from './unpack.ts'
import { ZIP_RULES } from './zip-rules.ts'

let work: string
let count = 0
const reader = createPackageReader()

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'skillet-unpack-'))
})
afterAll(async () => {
  await reader.close()
  await rm(work, { recursive: true, force: true })
})

async function unpack(zip: Buffer, limits?: Partial<ArchiveLimits>): Promise<UnpackResult & { target: string }> {
  const archive = join(work, `${++count}.zip`)
  const target = join(work, `${count}`)
  await writeFile(archive, zip)
  return { ...(await reader.unpackArchive({ archive, targetDir: target, limits })), target }
}

const rules = (result: UnpackResult): string[] => [...new Set(result.findings.map(({ rule }) => rule))].toSorted()
const file = (name: string | Buffer, more: Partial<TestEntry> = {}): TestEntry => ({
  name,
  data: `content of ${name.toString()}`,
  ...more,
})
const main = file('main.py')
const extra = (id: number, content: Buffer): Buffer => {
  const head = Buffer.alloc(4)
  head.writeUInt16LE(id, 0)
  head.writeUInt16LE(content.length, 2)
  return Buffer.concat([head, content])
}
/** A stored file whose content is another entry: the header of `a` takes 31 bytes. */
const OUTER = file('a', { method: 0, data: hostileZip([file('b')]) })
const link = { mode: 0o120777 }

/** Deflated zeros at about a thousandth of their size, made from repeats of one block so that making them is quick. */
function zeros(mebibytes: number): Buffer {
  const block = deflateRawSync(Buffer.alloc(2 ** 20), { finishFlush: constants.Z_FULL_FLUSH })
  return Buffer.concat([...Array.from({ length: mebibytes }, () => block), Buffer.from([3, 0])])
}

// what | rules | entries | archive
const REFUSED: [string, string[], TestEntry[], TestArchive?][] = [
  ['climbs out', ['zip.traversal'], [file('../evil.py')]],
  ['climbs out on the way', ['zip.traversal'], [file('a/../../evil.py')]],
  ['climbs out with backslashes', ['zip.backslash', 'zip.traversal'], [file('..\\evil.py')]],
  ['an absolute path', ['zip.absolute'], [file('/etc/passwd')]],
  ['the root', ['zip.absolute'], [main, { name: '/' }]],
  ['a drive', ['zip.drive_path'], [file('C:/windows/x')]],
  ['a backslash', ['zip.backslash'], [file('a\\b')]],
  ['a NUL', ['zip.control_character'], [file('main.py\0.txt')]],
  ['a line break', ['zip.control_character'], [file('a\nb')]],
  ['reversed text', ['zip.control_character'], [file('a\u202eyp.exe')]],
  ['no name', ['zip.empty_name'], [main, { name: '', data: 'x' }]],
  ['a dot', ['zip.unclean_path'], [file('./main.py')]],
  ['two slashes', ['zip.unclean_path'], [file('a//b')]],
  ['no UTF-8', ['zip.name_encoding'], [file(Buffer.from([0x61, 0xff]), { flags: 0 })]],
  ['a long path', ['zip.path_length'], [file(`${'d/'.repeat(140)}x`)]],
  ['a long name', ['zip.path_length'], [file('é'.repeat(130))]],
  ['a link', ['zip.symlink'], [{ name: 'a', data: '/etc/passwd', ...link }]],
  ['a link made on another system', ['zip.symlink'], [{ name: 'a', data: '/etc/passwd', ...link, host: 0 }]],
  ['a device', ['zip.device'], [file('a', { mode: 0o020644 })]],
  ['a pipe', ['zip.device'], [file('a', { mode: 0o010644 })]],
  ['a folder that is a file', ['zip.type_mismatch'], [main, { name: 'a/', mode: 0o100644 }]],
  ['a folder with content', ['zip.type_mismatch'], [main, { name: 'a/', data: 'x' }]],
  ['a file that is a folder', ['zip.type_mismatch'], [file('a', { dosAttributes: 0x10 })]],
  ['the same name twice', ['zip.duplicate'], [main, file('main.py')]],
  ['names that differ in case', ['zip.case_clash'], [file('a.py'), file('A.py')]],
  ['folders that differ in case', ['zip.case_clash'], [file('lib/a'), file('Lib/b')]],
  ['names that look alike', ['zip.unicode_clash'], [file('é'.normalize('NFC')), file('é'.normalize('NFD'))]],
  ['a file and a folder', ['zip.file_folder_clash'], [file('a'), file('a/b')]],
  ['a folder and a file', ['zip.file_folder_clash'], [file('a/b'), file('a')]],
  ['encrypted', ['zip.encrypted'], [file('a', { flags: 1 })]],
  ['strongly encrypted', ['zip.encrypted'], [file('a', { flags: 0x41 })]],
  ['AES', ['zip.encrypted'], [file('a', { extra: extra(0x9901, Buffer.alloc(7)) })]],
  ['zip64 in an entry', ['zip.zip64'], [file('a', { extra: extra(1, Buffer.alloc(16)) })]],
  ['zip64 in the end', ['zip.zip64'], [main], { count: 0xffff }],
  [
    'zip64 before the end',
    ['zip.zip64'],
    [main],
    { beforeEnd: Buffer.concat([Buffer.from([0x50, 0x4b, 6, 7]), Buffer.alloc(16)]) },
  ],
  ['another method', ['zip.compression'], [file('a', { method: 12 })]],
  ['several disks', ['zip.multi_disk'], [main], { disk: 1 }],
  ['an entry on another disk', ['zip.multi_disk'], [file('a', { disk: 1 })]],
  ['another name beside the data', ['zip.header_mismatch'], [file('a', { local: { name: 'b' } })]],
  ['another method beside the data', ['zip.header_mismatch'], [file('a', { local: { method: 0 } })]],
  ['another size beside the data', ['zip.header_mismatch'], [file('a', { local: { size: 3 } })]],
  ['another compressed size beside the data', ['zip.header_mismatch'], [file('a', { local: { compressedSize: 3 } })]],
  ['another checksum beside the data', ['zip.header_mismatch'], [file('a', { local: { crc: 3 } })]],
  ['other flags beside the data', ['zip.header_mismatch'], [file('a', { local: { flags: 0 } })]],
  ['a second name', ['zip.header_mismatch'], [file('a', { extra: extra(0x7075, Buffer.from('\x01\0\0\0\0../b')) })]],
  ['a count that is too low', ['zip.header_mismatch'], [main, file('b')], { count: 1 }],
  ['entries that share bytes', ['zip.overlap'], [OUTER, { ...file('b'), listOnly: true, localOffset: 31 }]],
  ['bytes before the archive', ['zip.prepended'], [main], { prepend: Buffer.from('#!/bin/sh\n') }],
  [
    'bytes before the archive that it does not know of',
    ['zip.prepended'],
    [main],
    { prepend: Buffer.from('#!/bin/sh\n'), directoryOffset: 60 },
  ],
  ['bytes between entries', ['zip.hidden_data'], [main, file('b', { gap: Buffer.from('hidden') })]],
  ['bytes before the file list', ['zip.hidden_data'], [file('b', { descriptor: 'wrong' })]],
  [
    'bytes after the content',
    ['zip.hidden_data'],
    [file('b', { raw: Buffer.concat([deflateRawSync('content of b'), Buffer.from('hidden')]) })],
  ],
  ['bytes after the archive', ['zip.trailing'], [main], { append: Buffer.from('more') }],
  ['two ends', ['zip.ambiguous_end'], [main], { comment: endRecord({}, 0, 0, 0) }],
  ['no file', ['zip.empty'], []],
  ['only folders', ['zip.empty'], [{ name: 'a/' }]],
  ['only leftovers', ['zip.empty', 'zip.ignored'], [file('__MACOSX/._a')]],
  ['a wrong checksum', ['zip.crc'], [file('a', { crc: 7 })]],
  ['more than declared', ['zip.size_mismatch'], [file('a', { size: 3 })]],
  ['less than declared', ['zip.size_mismatch'], [file('a', { size: 300 })]],
  ['two sizes for stored content', ['zip.size_mismatch'], [file('a', { method: 0, size: 3 })]],
  ['broken content', ['zip.malformed'], [file('a', { raw: Buffer.from('this is not deflated') })]],
  ['cut content', ['zip.malformed'], [file('a', { raw: deflateRawSync('content of a').subarray(0, 6) })]],
  [
    'data beyond the archive',
    ['zip.malformed'],
    [file('a', { compressedSize: 9999, local: { compressedSize: 9999 } })],
  ],
  ['a header that is not there', ['zip.malformed', 'zip.prepended'], [file('a', { localOffset: 5 })]],
  ['a broken extra field', ['zip.malformed'], [file('a', { extra: Buffer.from([1, 2, 200, 0]) })]],
  ['a file list outside the archive', ['zip.malformed'], [main], { directoryOffset: 999_999 }],
]

describe('archives that are refused', () => {
  test.each(REFUSED)('%s', async (_, expected, entries, archive) => {
    const result = await unpack(hostileZip(entries, archive))
    expect(rules(result)).toEqual(expected)
    expect(result.unpacked).toBeNull()
    for (const finding of result.findings) expect(finding.message + finding.file).not.toMatch(/[\0\n\u202e]/)
  })

  test.each([
    ['no archive', Buffer.from('hello'), 'zip.malformed'],
    ['nothing', Buffer.alloc(0), 'zip.malformed'],
    ['a cut archive', hostileZip([main]).subarray(0, -5), 'zip.malformed'],
    ['a cut comment', hostileZip([main], { comment: Buffer.from('commentary') }).subarray(0, -5), 'zip.malformed'],
    ['noise with an end', Buffer.concat([Buffer.alloc(99, 7), endRecord({}, 1, 99, 0)]), 'zip.malformed'],
  ])('%s', async (_, zip, rule) => {
    const result = await unpack(zip)
    expect(rules(result)).toEqual([rule])
    expect(result.unpacked).toBeNull()
  })

  test('all faults are told at once, each with its file', async () => {
    const result = await unpack(
      hostileZip([file('../a'), { name: 'b', data: 'x', ...link }, file('c', { flags: 1 }), file('C')]),
    )
    expect(result.findings.map(({ rule, file: at }) => [rule, at])).toEqual([
      ['zip.traversal', '../a'],
      ['zip.symlink', 'b'],
      ['zip.encrypted', 'c'],
      ['zip.case_clash', 'C'],
    ])
    expect(result.findings.every(({ fix }) => fix.length > 10)).toBe(true)
  })

  test('a thousand faults of one kind are counted', async () => {
    const result = await unpack(hostileZip(Array.from({ length: 1000 }, (_, index) => file(`../${index}`))))
    expect(result.findings).toHaveLength(21)
    expect(result.findings.at(-1)!.message).toMatch(/^980 more/)
  })

  test('every rule of archives is proven by an archive', () => {
    const elsewhere = ['zip.too_slow', 'zip.too_many_entries', 'zip.too_large', 'zip.bomb']
    const proven = new Set([...REFUSED.flatMap(([, expected]) => expected), ...elsewhere])
    expect(Object.keys(ZIP_RULES).filter((rule) => !proven.has(rule))).toEqual([])
  })
})

describe('bombs', () => {
  test('ten megabytes that say they are ten thousand', async () => {
    const raw = zeros(10_000)
    expect(raw.length).toBeGreaterThan(9e6)
    const honest = await unpack(hostileZip([{ name: 'a', raw, method: 8, size: 0xfffffff0 }]))
    expect(rules(honest)).toEqual(['zip.bomb', 'zip.too_large'])
    // One that lies is inflated up to what it declared, not a byte further.
    const liar = await unpack(hostileZip([{ name: 'a', raw, method: 8, size: 2 ** 20 }]))
    expect(rules(liar)).toEqual(['zip.size_mismatch'])
    const { size } = await stat(join(liar.target, 'a'))
    expect(size).toBeLessThanOrEqual(2 ** 20)
  })

  test('many files that are too much together', async () => {
    const data = Buffer.alloc(60_000, 'x')
    const entries = Array.from({ length: 20 }, (_, index) => file(`${index}`, { data }))
    expect(rules(await unpack(hostileZip(entries), { packageBytes: 1_000_000 }))).toEqual(['zip.too_large'])
    expect(rules(await unpack(hostileZip(entries), { packageBytes: 1_200_000 }))).toEqual([])
  })

  test.each([100_000, 10, 2000])('a hundred thousand entries that say they are %i', async (said) => {
    const zip = hostileZip(
      Array.from({ length: 100_000 }, (_, index) => ({ name: `f${index}` })),
      { count: said },
    )
    const before = process.memoryUsage.rss()
    expect(rules(await unpack(zip))).toEqual(['zip.too_many_entries'])
    expect(process.memoryUsage.rss() - before).toBeLessThan(100 * 2 ** 20)
  })

  test('a thread that takes too long is killed and the next archive is read', async () => {
    const hasty = createPackageReader({ threads: 1, timeoutMs: 30 })
    const data = Buffer.alloc(150 * 2 ** 20, 'x')
    const archive = join(work, 'slow.zip')
    await writeFile(archive, hostileZip([{ name: 'a', data, method: 0 }]))
    const result = await hasty.unpackArchive({ archive, targetDir: join(work, 'slow') })
    expect(rules(result)).toEqual(['zip.too_slow'])
    await hasty.close()
    await rm(archive)
  })

  test('an aborted read rejects with the reason', async () => {
    const controller = new AbortController()
    const archive = join(work, 'abort.zip')
    await writeFile(archive, hostileZip([main]))
    const reading = reader.unpackArchive({ archive, targetDir: join(work, 'abort'), signal: controller.signal })
    controller.abort(new Error('stopping'))
    await expect(reading).rejects.toThrow('stopping')
  })
})

describe('archives that are accepted', () => {
  test('files with their bytes, modes and hashes, readable for other users', async () => {
    const entries = [
      { name: 'scripts/' },
      file('scripts/run.sh', { mode: 0o100700 }),
      file('main.py', { mode: 0o104600 }),
      { name: 'empty' },
    ]
    const { unpacked, findings, target } = await unpack(hostileZip(entries))
    expect(findings).toEqual([])
    expect(unpacked!.files.map(({ path, size, executable }) => [path, size, executable])).toEqual([
      ['empty', 0, false],
      ['main.py', 18, false],
      ['scripts/run.sh', 25, true],
    ])
    expect(await readFile(join(target, 'scripts/run.sh'), 'utf8')).toBe('content of scripts/run.sh')
    const mode = async (path: string): Promise<number> => (await stat(join(target, path))).mode & 0o7777
    expect([await mode('.'), await mode('scripts'), await mode('scripts/run.sh'), await mode('main.py')]).toEqual([
      0o755, 0o755, 0o755, 0o644,
    ])
  })

  test.each<[string, TestEntry[], TestArchive?]>([
    ['descriptors', [file('a', { descriptor: 'signed' }), file('b', { descriptor: 'bare' })]],
    ['a comment', [main], { comment: Buffer.from('0123456789abcdef') }],
    ['non-ASCII names', [file('ä/😀.md')]],
    ['a stored zip in the zip', [file('inner.docx', { method: 0, data: hostileZip([main]) })]],
    ['a bit of compression', [file('a', { data: Buffer.alloc(900_000) })]],
  ])('with %s', async (_, entries, archive) => {
    expect((await unpack(hostileZip(entries, archive))).findings).toEqual([])
  })

  test('what another tool made', async () => {
    const zip = new ZipFile()
    zip.addBuffer(Buffer.from('def handler(input): ...'), 'main.py', { mode: 0o100644 })
    zip.addEmptyDirectory('data')
    zip.addReadStream(Readable.from([Buffer.alloc(70_000, 'y')]), 'data/y.txt')
    zip.end()
    const { unpacked, findings } = await unpack(await buffer(zip.outputStream))
    expect(findings).toEqual([])
    expect(unpacked!.files.map(({ path }) => path)).toEqual(['data/y.txt', 'main.py'])
  })

  test('leftovers of tools are left out and told, links among them too', async () => {
    const entries = [
      main,
      file('__MACOSX/._main.py'),
      file('lib/.DS_Store'),
      file('node_modules/a/index.js'),
      { name: 'node_modules/.bin/a', data: '../a', ...link },
      file('__pycache__/main.cpython-311.pyc'),
      file('.git/config'),
    ]
    const { unpacked, findings, target } = await unpack(hostileZip(entries))
    expect(unpacked!.files.map(({ path }) => path)).toEqual(['main.py'])
    expect(await readdir(target)).toEqual(['main.py'])
    expect(findings.map(({ severity, file: at }) => [severity, at])).toEqual(
      ['__MACOSX', '.DS_Store', '.git', 'node_modules', '__pycache__'].map((name) => ['warn', name]),
    )
  })

  test('a zip of the folder is the same package as one of its content', async () => {
    const plain = await unpack(
      hostileZip([file('SKILL.md', { data: 'x' }), file('scripts/a.py', { data: 'y', mode: 0o100755 })]),
    )
    const other = [
      file('skill/scripts/a.py', { data: 'y', mode: 0o100755, method: 0 }),
      { name: 'skill/' },
      file('skill/SKILL.md', { data: 'x' }),
    ]
    const wrapped = await unpack(hostileZip(other))
    expect(wrapped.unpacked!.files).toEqual(plain.unpacked!.files)
    expect(wrapped.unpacked!.digest).toBe(plain.unpacked!.digest)
    expect(await readdir(wrapped.target)).toEqual(['SKILL.md', 'scripts'])
  })

  test('a folder that is no package stays', async () => {
    const { unpacked } = await unpack(hostileZip([file('references/a.md')]))
    expect(unpacked!.files.map(({ path }) => path)).toEqual(['references/a.md'])
  })

  test('nothing is written over or through what is there', async () => {
    const archive = join(work, 'again.zip')
    await writeFile(archive, hostileZip([main]))
    const targetDir = join(work, 'again')
    await reader.unpackArchive({ archive, targetDir })
    await expect(reader.unpackArchive({ archive, targetDir })).rejects.toThrow(/EEXIST/)
  })
})
