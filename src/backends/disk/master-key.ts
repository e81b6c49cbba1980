import { createHash, randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { SkilletError } from '../../model/errors.ts'
import { syncFolder } from './files.ts'

/** What the data keys of the vault are wrapped with. */
export interface MasterKey {
  /** The first 16 hex digits of the SHA-256 of its bytes. */
  readonly id: string
  readonly bytes: Uint8Array
}

/** The master keys that this server knows. The first is the current one: what is sealed is sealed under it. */
export interface MasterKeys {
  current(): MasterKey
  find(id: string): MasterKey | null
  /** Makes another key the current one, durably; the others stay known. @throws SkilletError master_key_external */
  begin(): Promise<void>
  /** Forgets all but the current key: nothing is sealed under them any more. */
  finish(): Promise<void>
}

/** Where the master key lies, unless it is given from outside: readable by its owner only, a key a line in base64, the current one first. */
export const masterKeyFile = (dataDir: string): string => join(dataDir, 'master.key')

/**
 * @param options.given Keys in base64, separated by commas, the current one first, as SKILLET_MASTER_KEY holds them; without it they are
 * in the data folder, where the first one is made.
 * @throws Error when a key is not 32 bytes, or when others than its owner can read the file.
 */
export async function openMasterKeys(options: { dataDir: string; given?: string | undefined }): Promise<MasterKeys> {
  const { dataDir, given = '' } = options
  if (given.trim() !== '') return givenKeys(parseKeys(given.split(','), 'SKILLET_MASTER_KEY'))
  const file = masterKeyFile(dataDir)
  return keysInFile(file, (await readKeys(file)) ?? (await makeKeys(file)))
}

/** Keys that somebody else keeps: the new one has to be given along with the old one. */
function givenKeys(ring: readonly MasterKey[]): MasterKeys {
  return {
    current: () => ring[0]!,
    find: (id) => ring.find((key) => key.id === id) ?? null,
    async begin() {
      if (ring.length < 2) {
        throw new SkilletError('master_key_external', 'SKILLET_MASTER_KEY holds one key only: there is no new one.')
      }
    },
    async finish() {},
  }
}

function keysInFile(file: string, found: readonly MasterKey[]): MasterKeys {
  let ring = found
  return {
    current: () => ring[0]!,
    find: (id) => ring.find((key) => key.id === id) ?? null,
    async begin() {
      const wider = [newKey(), ...ring]
      // On disk before anything is sealed under it.
      await writeKeys(file, wider)
      ring = wider
    },
    async finish() {
      const narrower = ring.slice(0, 1)
      await writeKeys(file, narrower)
      ring = narrower
    },
  }
}

const KEY_BYTES = 32

function newKey(): MasterKey {
  return keyOf(randomBytes(KEY_BYTES))
}

function keyOf(bytes: Uint8Array): MasterKey {
  return { id: createHash('sha256').update(bytes).digest('hex').slice(0, 16), bytes }
}

async function makeKeys(file: string): Promise<MasterKey[]> {
  const ring = [newKey()]
  await writeKeys(file, ring)
  return ring
}

/** All or nothing, and on disk when it resolves. Only the owner of the data folder writes, so nobody else does meanwhile. */
async function writeKeys(file: string, ring: readonly MasterKey[]): Promise<void> {
  const draft = `${file}.new`
  // Of a server that was killed just here.
  await rm(draft, { force: true })
  {
    await using handle = await open(draft, 'wx', 0o600)
    await handle.writeFile(ring.map(({ bytes }) => `${Buffer.from(bytes).toString('base64')}\n`).join(''))
    await handle.sync()
  }
  await rename(draft, file)
  await syncFolder(dirname(file))
}

/** Null when there is no file. */
async function readKeys(file: string): Promise<MasterKey[] | null> {
  let text: string
  try {
    await using handle = await open(file, 'r')
    const { mode } = await handle.stat()
    if ((mode & 0o077) !== 0) throw tooOpen(file, mode)
    text = await handle.readFile('utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  return parseKeys(text.trim().split(/\s+/), `The file "${file}"`)
}

function tooOpen(file: string, mode: number): Error {
  const error = new Error(
    `Others can read the master key: "${file}" has mode ${(mode & 0o777).toString(8)} instead of 600.`,
  )
  return Object.assign(error, {
    fix: `Make it private ("chmod 600 ${file}"); if others may have read it, rotate it: "skillet secret rotate-master-key".`,
  })
}

/** @throws Error that never quotes what is there. */
function parseKeys(texts: readonly string[], where: string): MasterKey[] {
  return texts.map((text, i) => {
    const base64 = text.trim()
    const bytes = Buffer.from(base64, 'base64')
    // Characters that are no base64 would be skipped.
    if (bytes.length !== KEY_BYTES || bytes.toString('base64').replace(/=+$/, '') !== base64.replace(/=+$/, '')) {
      const error = new Error(`${where}: key ${i + 1} is not ${KEY_BYTES} bytes in base64.`)
      throw Object.assign(error, { fix: 'Make one with: openssl rand -base64 32' })
    }
    return keyOf(bytes)
  })
}
