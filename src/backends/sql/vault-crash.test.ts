import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { newNote } from '../contract/engine-fixtures.ts'
import { masterKeyFile, openMasterKeys } from '../disk/master-key.ts'
import { type SqlEngine, openSqliteEngine } from './sql-engine.ts'

const SCRIPT = fileURLToPath(new URL('./fixtures/rotate-forever.ts', import.meta.url))
const SEALED_BEFORE = 300

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-vault-crash-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function withEngine(work: (engine: SqlEngine) => Promise<void>): Promise<void> {
  const engine = await openSqliteEngine({ folder })
  try {
    await work(engine)
  } finally {
    await engine.close()
  }
}

async function sealBefore(): Promise<void> {
  await withEngine(async (engine) => {
    const vault = engine.vault(await openMasterKeys({ dataDir: folder }))
    const all = Array.from({ length: SEALED_BEFORE }, (_, i) => vault.put('before', i + 1, `before ${i + 1}`))
    await Promise.all(all)
  })
}

/**
 * Lets a process rotate and write until it ends itself at that point, or has rotated once and then written so many values.
 * @returns The last revision that it said was written.
 */
async function crash(end: { at?: string; writes?: number }, from: number): Promise<number> {
  const args = [SCRIPT, folder, String(from), ...(end.at === undefined ? [] : [end.at])]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let revision = from
  let left = Infinity
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'rotated') left = Math.min(left, end.writes ?? left)
    else revision = Number(line.split(' ')[1])
    if (left-- <= 0) child.kill('SIGKILL')
  })
  await once(child, 'close')
  expect(child.signalCode).toBe('SIGKILL')
  return revision
}

async function expectAll(written: number): Promise<void> {
  await withEngine(async (engine) => {
    const vault = engine.vault(await openMasterKeys({ dataDir: folder }))
    await vault.check()
    for (let i = 1; i <= SEALED_BEFORE; i++) expect(await vault.get('before', i)).toBe(`before ${i}`)
    for (let i = 1; i <= written; i++) expect(await vault.get('written', i)).toBe(`value ${i}`)
  })
}

async function keysInFile(): Promise<number> {
  return (await readFile(masterKeyFile(folder), 'utf8')).trim().split('\n').length
}

test.each([
  ['before', 1],
  ['begun', 2],
  ['amid', 2],
  ['ending', 2],
  ['ended', 1],
])('kill -9 at the point "%s" loses no value, and the next rotation leaves one key', async (at, keys) => {
  await sealBefore()
  const written = await crash({ at }, 0)
  expect(await keysInFile()).toBe(keys)
  await expectAll(written)
  await withEngine(async (engine) => {
    const vault = engine.vault(await openMasterKeys({ dataDir: folder }))
    await vault.rotate(newNote('ten_operator', 'vault.rotate'))
  })
  expect(await keysInFile()).toBe(1)
  await expectAll(written)
})

test('kill -9 whenever it comes loses no value', async () => {
  await sealBefore()
  let written = 0
  for (const writes of [0, 1, 2, 5, 11]) {
    written = await crash({ writes }, written)
    await expectAll(written)
  }
})
