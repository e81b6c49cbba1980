import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { findRuntimes, interpreter, presentRuntime } from './runtimes.ts'

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

/** A machine with these programs under its /usr: each says its version, and keeps count of how often it was asked. */
async function machine(programs: Record<string, string>, links: Record<string, string> = {}) {
  const root = await mkdtemp(join(tmpdir(), 'skillet-runtimes-'))
  folders.push(root)
  const asked = join(root, 'asked')
  for (const [path, version] of Object.entries({ ...programs, 'opt/node': 'v24.1.2' })) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), `#!/bin/sh\necho ${path} >>${asked}\necho ${version}\n`)
    await chmod(join(root, path), 0o755)
  }
  for (const [path, target] of Object.entries(links)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await symlink(target, join(root, path))
  }
  const find = () => findRuntimes({ node: join(root, 'opt/node'), notes: join(root, 'versions.json'), root })
  return { root, find, asked: () => readFile(asked, 'utf8').catch(() => '') }
}

test('the Pythons of a machine are found by name, its default first', async () => {
  const { root, find, asked } = await machine(
    {
      'bin/python3.11': 'Python 3.11.2',
      'local/bin/python3.13': 'Python 3.13.1',
      'bin/python3.8': 'Python 3.8.1',
      'bin/python3.11-config': '',
    },
    { 'bin/python3': 'python3.11', 'local/bin/python3.12': '/nowhere', 'bin/python3.10': '/bin/sh' },
  )
  const runtimes = await find()
  expect(runtimes.all.map(({ name }) => name)).toEqual(['python3.11', 'python3.13', 'node24'])
  expect(runtimes.find('python3')).toBe(runtimes.find('python3.11'))
  expect(runtimes.find('python3.12')).toBeNull()
  expect(interpreter(runtimes, 'python3.13')).toBe(join(root, 'local/bin/python3.13'))
  expect(interpreter(runtimes, 'node24')).toBe(join(root, 'bin/python3.11'))
  expect(await asked(), 'a start asks no program').toBe('')
})

test('versions are asked for once, and again when the program has changed', async () => {
  const { root, find, asked } = await machine({ 'bin/python3.11': 'Python 3.11.2' }, { 'bin/python3': 'python3.11' })
  const versions = async () => Promise.all((await find()).all.map((one) => one.version()))
  expect(await versions()).toEqual(['3.11.2', '24.1.2'])
  expect(await versions()).toEqual(['3.11.2', '24.1.2'])
  expect((await asked()).trim().split('\n').toSorted()).toEqual(['bin/python3.11', 'opt/node'])
  await writeFile(join(root, 'bin/python3.11'), '#!/bin/sh\necho Python 3.11.17\n')
  expect(await versions()).toEqual(['3.11.17', '24.1.2'])
})

test('a python3 that is no link says what it is', async () => {
  const { find } = await machine({ 'bin/python3': 'Python 3.12.4' })
  expect((await find()).all.map(({ name }) => name)).toEqual(['python3.12', 'node24'])
  const { find: without } = await machine({})
  expect((await without()).find('python3')).toBeNull()
})

test('what was built for a runtime that has gone is not run on another', async () => {
  const { root, find } = await machine({ 'bin/python3.11': '', 'bin/python3.13': '' }, { 'bin/python3': 'python3.13' })
  const runtimes = await find()
  expect((await presentRuntime(runtimes, 'python3.11')).name).toBe('python3.11')
  expect((await presentRuntime(runtimes, 'python3')).name).toBe('python3.13')
  await rm(join(root, 'bin/python3.11'))
  const gone = {
    message: expect.stringMatching(/built for python3\.11.*It has/),
    fix: expect.stringContaining('deploy'),
  }
  await expect(presentRuntime(runtimes, 'python3.11')).rejects.toMatchObject(gone)
  await expect(presentRuntime(await find(), 'python3.11')).rejects.toMatchObject(gone)
})
