import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findConnection } from './connection.ts'

const URL = 'http://127.0.0.1:8787'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'skillet-connection-test-'))
})
afterEach(() => rm(home, { recursive: true, force: true }))

test('finds the server of a parent folder, and its key', async () => {
  await server('.skillet', URL, 'sk_parent')
  await mkdir(join(home, 'a/b'), { recursive: true })
  expect(find({}, {}, 'a/b')).toEqual({
    url: URL,
    key: 'sk_parent',
    source: { url: join(home, '.skillet/server.json'), key: join(home, '.skillet/owner.key') },
  })
})

test('options come before the environment, and that before data folders', async () => {
  await server('.skillet', URL, 'sk_here')
  const env = { SKILLET_URL: 'http://env:1', SKILLET_KEY: 'sk_env' }
  expect(find({}, env)).toMatchObject({ url: 'http://env:1', key: 'sk_env' })
  expect(find({ url: 'http://option:1', key: 'sk_option' }, env)).toMatchObject({
    url: 'http://option:1',
    key: 'sk_option',
  })
  await writeFile(join(home, 'my.key'), 'sk_file\n')
  expect(find({ keyFile: 'my.key' }, env)).toMatchObject({ key: 'sk_file' })
  expect(find({}, { SKILLET_KEY: 'sk_env' })).toMatchObject({ url: URL, key: 'sk_env' })
})

test('a data folder that is named is the only one that is looked at', async () => {
  await server('.skillet', URL, 'sk_here')
  await server('other', 'http://127.0.0.1:9999', 'sk_other')
  expect(find({ data: 'other' })).toMatchObject({ url: 'http://127.0.0.1:9999', key: 'sk_other' })
  expect(find({}, { SKILLET_DATA: join(home, 'other') })).toMatchObject({ key: 'sk_other' })
  expect(() => find({ data: 'nowhere' })).toThrow(expect.objectContaining({ exitCode: 3 }))
})

test('the local key is sent to no other server than its own', async () => {
  await server('.skillet', URL, 'sk_here')
  expect(find({ url: `${URL}/` })).toMatchObject({ key: 'sk_here' })
  expect(() => find({ url: 'http://127.0.0.1:8788' })).toThrow(expect.objectContaining({ exitCode: 4 }))
  expect(() => find({}, { SKILLET_URL: 'https://elsewhere.example' })).toThrow(
    'There is no key for https://elsewhere.example',
  )
})

test("the operator's key is taken where it is asked for, and a given one comes before it", async () => {
  await server('.skillet', URL, 'sk_here')
  await writeFile(join(home, '.skillet/operator.key'), 'sk_operator\n')
  const source = { url: join(home, '.skillet/server.json'), key: join(home, '.skillet/operator.key') }
  expect(find({}, {}, '', 'operator')).toEqual({ url: URL, key: 'sk_operator', source })
  expect(find({ url: URL }, {}, '', 'operator')).toMatchObject({ key: 'sk_operator' })
  expect(find({}, { SKILLET_KEY: 'sk_env' }, '', 'operator')).toMatchObject({ key: 'sk_env' })
  await rm(join(home, '.skillet/operator.key'))
  expect(() => find({}, {}, '', 'operator')).toThrow(`${home}/.skillet/operator.key cannot be read`)
})

test('what is answered without a key is asked without one, unless one is given', async () => {
  await server('.skillet', URL, 'sk_here')
  expect(find({}, {}, '', 'nobody')).toMatchObject({ url: URL, key: '' })
  expect(find({ url: 'https://elsewhere.example' }, {}, '', 'nobody')).toMatchObject({ key: '' })
  expect(find({ url: 'https://elsewhere.example' }, { SKILLET_KEY: 'sk_env' }, '', 'nobody')).toMatchObject({
    key: 'sk_env',
  })
})

test('what a killed server left behind is no server', async () => {
  // Process ids end at 2^22: this one belongs to nobody.
  await server('.skillet', URL, 'sk_here', 2 ** 22 + 1)
  expect(() => find({})).toThrow(
    expect.objectContaining({ exitCode: 3, why: expect.stringContaining(join(home, '.skillet')) }),
  )
})

test('refuses what is not a URL, and says which file holds no readable key', async () => {
  expect(() => find({ url: 'localhost:8787', key: 'sk' })).toThrow(expect.objectContaining({ exitCode: 2 }))
  await server('.skillet', URL, 'sk_here')
  await rm(join(home, '.skillet/owner.key'))
  expect(() => find({})).toThrow(`${home}/.skillet/owner.key cannot be read`)
})

function find(
  options: Parameters<typeof findConnection>[0],
  env: Record<string, string> = {},
  inside = '',
  holder?: Parameters<typeof findConnection>[2],
) {
  return findConnection(options, { env: { HOME: '/nonexistent', ...env }, cwd: join(home, inside) }, holder)
}

async function server(folder: string, url: string, key: string, pid: number = process.pid): Promise<void> {
  await mkdir(join(home, folder))
  await writeFile(join(home, folder, 'server.json'), JSON.stringify({ url, pid }))
  await writeFile(join(home, folder, 'owner.key'), `${key}\n`)
}
