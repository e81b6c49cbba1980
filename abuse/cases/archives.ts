import assert from 'node:assert/strict'
import { lstat, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as otherWork } from 'node:timers/promises'
import { crc32, createDeflateRaw, deflateRawSync } from 'node:zlib'
import { createPackageReader } from '../../src/packages/package-reader.ts'
import { type TestArchive, type TestEntry, endRecord, hostileZip } from '../../src/packages/zip/hostile-zip.ts'
import type { AbuseCase, AbuseWorld } from '../case.ts'

/** Packages that are not what they seem, through the reader that takes uploads. */
export const ARCHIVES: readonly AbuseCase[] = [
  { number: 36, title: 'links, devices and paths that lead out, in a zip', world: leadingOut },
  { number: 37, title: 'zip bombs, a million entries, names that clash', load: 'heavy', world: tooMuch },
]

const LINK = { host: 3, mode: 0o120777 }
const MAIN: TestEntry = { name: 'main.py', data: 'def handler(input): pass' }
const evil = (name: string | Buffer, more: Partial<TestEntry> = {}): TestEntry => ({ name, data: 'evil', ...more })

async function leadingOut(world: AbuseWorld): Promise<void> {
  const home = await world.folder()
  const outside = join(home, 'outside')
  await mkdir(outside)
  await writeFile(join(outside, 'kept'), 'as it was')
  const attempts: Record<string, [rule: string, ...entries: TestEntry[]]> = {
    'a link, then a file through it': ['zip.symlink', { name: 'a', data: outside, ...LINK }, evil('a/planted')],
    'a relative link': ['zip.symlink', { name: 'a', data: '../outside/kept', ...LINK }, MAIN],
    'a link over a file': ['zip.symlink', MAIN, { name: 'main.py', data: '../outside/kept', ...LINK }],
    'a link that a Windows tool made': ['zip.symlink', MAIN, { name: 'a', data: outside, ...LINK, host: 0 }],
    'a link only beside the data': ['zip.header_mismatch', MAIN, evil('a', { local: { name: '../outside/planted' } })],
    'a character device': ['zip.device', MAIN, evil('null', { mode: 0o020666 })],
    'a block device': ['zip.device', MAIN, evil('disk', { mode: 0o060666 })],
    'a pipe': ['zip.device', MAIN, evil('pipe', { mode: 0o010666 })],
    'a socket': ['zip.device', MAIN, evil('socket', { mode: 0o140666 })],
    'one up': ['zip.traversal', MAIN, evil('../outside/planted')],
    'up on the way': ['zip.traversal', MAIN, evil('a/../../outside/planted')],
    'up with backslashes': ['zip.traversal', MAIN, evil('..\\outside\\planted')],
    'up in a folder': ['zip.traversal', MAIN, { name: '../outside/folder/' }],
    'an absolute path': ['zip.absolute', MAIN, evil(join(outside, 'planted'))],
    'a drive': ['zip.drive_path', MAIN, evil('C:/outside/planted')],
    'a NUL in the name': ['zip.control_character', MAIN, evil('../outside/planted\0.md')],
    'a second name': [
      'zip.header_mismatch',
      MAIN,
      evil('a', { extra: extra(0x7075, Buffer.from('\x01\0\0\0\0../outside/planted')) }),
    ],
  }
  await read(home, async (unpack) => {
    for (const [what, [rule, ...entries]] of Object.entries(attempts)) {
      const { findings, unpacked } = await unpack(hostileZip(entries))
      const denied = findings.filter(({ severity }) => severity === 'deny')
      assert.ok(
        denied.some((finding) => finding.rule === rule),
        `${what}: ${JSON.stringify(findings)}`,
      )
      assert.ok(denied.every(({ message, fix }) => message.length > 10 && fix.length > 10))
      assert.equal(unpacked, null, what)
    }
    // There is no mark of a hard link in a zip that tools agree on: what asks for one in PKWARE's way comes out as a file of its own.
    const hard = { name: 'a', data: 'its own', mode: 0o100644, extra: extra(0x000d, pkware('../outside/kept')) }
    const { unpacked, target } = await unpack(hostileZip([MAIN, hard]))
    if (unpacked !== null) assert.equal((await lstat(join(target, 'a'))).nlink, 1)
  })
  assert.deepEqual(await readdir(outside), ['kept'])
  assert.equal(await readFile(join(outside, 'kept'), 'utf8'), 'as it was')
  assert.deepEqual(await readdir(home), ['outside'])
}

const DATA = Buffer.alloc(2 ** 20, 'not nothing')
const STORED = { raw: DATA, method: 0, size: DATA.length, crc: crc32(DATA) }

async function tooMuch(world: AbuseWorld): Promise<void> {
  const home = await world.folder()
  const gigabytes = await zeros(10)
  const shared = {
    name: 'shared',
    raw: deflateRawSync(Buffer.alloc(2 ** 20)),
    method: 8,
    size: 2 ** 20,
    crc: 0xa738ea1c,
  }
  const attempts: Record<string, [rule: string, entries: readonly TestEntry[], archive?: TestArchive]> = {
    'ten gigabytes, honestly': ['zip.bomb', [{ name: 'a', raw: gigabytes, method: 8, size: 0xfffffff0 }]],
    'ten gigabytes that say they are one megabyte': [
      'zip.size_mismatch',
      [{ name: 'a', raw: gigabytes, method: 8, size: 2 ** 20 }],
    ],
    'the same bytes for two thousand files': [
      'zip.overlap',
      [
        shared,
        ...Array.from({ length: 1900 }, (_, i) => ({ ...shared, name: `s${i}`, listOnly: true, localOffset: 0 })),
      ],
    ],
    'files that are too much only together': [
      'zip.too_large',
      Array.from({ length: 300 }, (_, i) => ({ name: `f${i}`, ...STORED })),
    ],
    'names that differ in case': ['zip.case_clash', [evil('a.py'), evil('A.py')]],
    'folders that differ in case': ['zip.case_clash', [evil('lib/a'), evil('LIB/a')]],
    'names that look alike': ['zip.unicode_clash', [evil('é'.normalize('NFC')), evil('é'.normalize('NFD'))]],
    'a name twice': ['zip.duplicate', [MAIN, evil('main.py')]],
    'a file and a folder': ['zip.file_folder_clash', [evil('a'), evil('a/b')]],
  }
  await read(home, async (unpack) => {
    for (const [what, [rule, list, archive]] of Object.entries(attempts))
      await refused(what, rule, hostileZip(list, archive))
    const entries = await million()
    for (const said of [0xffff - 1, 1, 2000])
      await refused(
        `a million entries that say they are ${said}`,
        'zip.too_many_entries',
        Buffer.concat([entries, endRecord({}, said, entries.length, 0)]),
      )

    async function refused(what: string, rule: string, zip: Buffer): Promise<void> {
      const { findings, unpacked, target } = await unpack(zip)
      assert.ok(
        findings.some((finding) => finding.rule === rule && finding.severity === 'deny'),
        `${what}: ${JSON.stringify(findings)}`,
      )
      assert.ok(findings.length <= 100, `${what}: ${findings.length} findings`)
      assert.equal(unpacked, null, what)
      const written = await bytesIn(target)
      assert.ok(written <= 200 * 2 ** 20, `${what}: ${written} bytes were written`)
    }
  })
}

type Unpack = (zip: Buffer) => Promise<Awaited<ReturnType<Reader['unpackArchive']>> & { target: string }>
type Reader = ReturnType<typeof createPackageReader>

/** With the reader of a server, each archive to a folder of its own; all gone after it. */
async function read(home: string, work: (unpack: Unpack) => Promise<void>): Promise<void> {
  const reader = createPackageReader({ threads: 1 })
  const folder = join(home, 'packages')
  await mkdir(folder)
  let count = 0
  try {
    await work(async (zip) => {
      const archive = join(folder, `${++count}.zip`)
      await writeFile(archive, zip)
      const target = join(folder, String(count))
      return { ...(await reader.unpackArchive({ archive, targetDir: target })), target }
    })
  } finally {
    await reader.close()
    await rm(folder, { recursive: true, force: true })
  }
}

async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  let sum = 0
  for (const entry of entries) {
    if (entry.isFile()) sum += (await lstat(join(entry.parentPath, entry.name))).size
  }
  return sum
}

/** So many gigabytes of zeros, deflated, without having them anywhere. */
async function zeros(gigabytes: number): Promise<Buffer> {
  const deflate = createDeflateRaw({ level: 9 })
  const chunks: Buffer[] = []
  deflate.on('data', (chunk: Buffer) => chunks.push(chunk))
  const ended = new Promise((resolve) => deflate.once('end', resolve))
  // What zeros become repeats itself: one part, flushed, stands for all.
  deflate.write(Buffer.alloc(2 ** 26))
  await new Promise<void>((resolve) => deflate.flush(resolve))
  const start = Buffer.concat(chunks.splice(0))
  deflate.write(Buffer.alloc(2 ** 26))
  await new Promise<void>((resolve) => deflate.flush(resolve))
  const part = Buffer.concat(chunks.splice(0))
  deflate.end()
  await ended
  return Buffer.concat([start, ...Array.from({ length: 16 * gigabytes }, () => part), ...chunks])
}

/** Only a file list: that is where readers spend their time. Made in steps: whoever is served beside this waits for none. */
async function million(): Promise<Buffer> {
  const entry = hostileZip([{ name: 'f0000000', listOnly: true }]).subarray(0, 46 + 8)
  const list = Buffer.alloc(entry.length * 1_000_000, entry)
  for (let i = 0; i < 1_000_000; i++) {
    list.write(String(i).padStart(7, '0'), i * entry.length + 47, 'latin1')
    if (i % 20_000 === 0) await otherWork()
  }
  return list
}

function extra(id: number, data: Buffer): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt16LE(id, 0)
  head.writeUInt16LE(data.length, 2)
  return Buffer.concat([head, data])
}

/** Two times, user and group; then the name of what it is linked to. */
const pkware = (target: string): Buffer => Buffer.concat([Buffer.alloc(12), Buffer.from(target)])
