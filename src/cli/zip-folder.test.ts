import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import yauzl from 'yauzl'
import { zipFolder } from './zip-folder.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-zip-test-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('holds the files of the package, and nothing that tools left or .skilletignore names', async () => {
  await write({
    'main.py': 'x',
    'lib/deep/util.py': 'x',
    'dist/index.js': 'x',
    'notes.txt': 'x',
    'keep.txt': 'x',
    'build/out.bin': 'x',
    'lib/build/out.bin': 'x',
    '.git/config': 'x',
    'lib/node_modules/a/index.js': 'x',
    'lib/__pycache__/util.pyc': 'x',
    'main.pyc': 'x',
    '.skilletignore': '# not these\n*.txt\n!keep.txt\n/build/\n',
  })
  expect((await entries()).map(({ name }) => name)).toEqual([
    'dist/index.js',
    'keep.txt',
    'lib/build/out.bin',
    'lib/deep/util.py',
    'main.py',
  ])
})

test('the same files give the same bytes, whenever they were written', async () => {
  await write({ 'main.py': 'x', 'data/a.csv': 'a' })
  const first = await checksum()
  await utimes(join(folder, 'main.py'), new Date(0), new Date(0))
  expect(await checksum()).toBe(first)
  await write({ 'main.py': 'y' })
  expect(await checksum()).not.toBe(first)
})

test('keeps what is executable executable, and announces the size it has', async () => {
  await write({ 'scripts/run.sh': '#!/bin/sh\n', 'SKILL.md': 'x' })
  await chmod(join(folder, 'scripts/run.sh'), 0o750)
  const modes = (await entries()).map(({ name, mode }) => [name, mode])
  expect(modes).toEqual([
    ['SKILL.md', 0o100644],
    ['scripts/run.sh', 0o100755],
  ])
  const zip = await zipFolder(folder)
  expect((await stat(zip.file)).size).toBe(zip.size)
  await zip.remove()
  await expect(stat(dirname(zip.file))).rejects.toThrow('ENOENT')
})

test('refuses symbolic links by name: what they point to is not in the package', async () => {
  await write({ 'main.py': 'x' })
  await symlink('/etc/passwd', join(folder, 'passwd'))
  await expect(zipFolder(folder)).rejects.toThrow(`${folder}/passwd is a symbolic link`)
  await write({ '.skilletignore': 'passwd\n' })
  expect(await entries()).toHaveLength(1)
})

test('says which folder is missing or empty', async () => {
  await expect(zipFolder(join(folder, 'nowhere'))).rejects.toThrow(`${folder}/nowhere cannot be read`)
  await expect(zipFolder(folder)).rejects.toThrow(`no files in ${folder}`)
})

async function write(files: Record<string, string>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
}

async function checksum(): Promise<string> {
  const zip = await zipFolder(folder)
  await zip.remove()
  return zip.sha256
}

/** What another program reads in the zip. */
async function entries(): Promise<{ name: string; mode: number }[]> {
  const zip = await zipFolder(folder)
  try {
    const read = await yauzl.fromBufferPromise(await readFile(zip.file))
    const found = []
    for await (const entry of read.eachEntry()) {
      found.push({ name: entry.fileName, mode: entry.externalFileAttributes >>> 16 })
    }
    return found
  } finally {
    await zip.remove()
  }
}
