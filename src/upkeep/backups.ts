import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Blobs, Engine } from '../backends/ports.ts'
import type { StateCopy } from '../backends/upkeep-ports.ts'
import { type Caller, OPERATOR_TENANT } from '../model/access.ts'
import { noteOf } from '../model/audit.ts'
import { now } from '../model/json.ts'
import { DATABASE, END, KEY_FILES, MANIFEST, type Manifest, type Member, blobPath } from './backup-format.ts'
import type { TarMember } from './tar-writer.ts'

export interface Backups {
  /**
   * All state as it is at one moment that is not before this is called. It is audited in that state.
   * @param options.keys With the keys that lie in the data folder.
   * @param options.signal Gives it up.
   * @returns The backup, made as it is read. Its reader has to read it to the end or to cancel it: blobs are kept until then.
   */
  begin(caller: Caller, options: { keys: boolean; signal: AbortSignal }): Promise<ReadableStream<Uint8Array>>
}

/** Copies lie in the data folder under names that begin so; what a crash left of them is removed. */
const DRAFT = 'backup-'

/** How much of a file is read at once, in bytes. */
const CHUNK = 256 * 1024

export async function openBackups(parts: {
  readonly dataDir: string
  readonly engine: Pick<Engine, 'upkeep' | 'audit'>
  readonly blobs: Pick<Blobs, 'localPath'>
  /** Of the sweeper. */
  readonly hold: () => Promise<() => void>
  /** Of this software. */
  readonly version: string
  readonly onError: (error: unknown, doing: string) => void
}): Promise<Backups> {
  const { dataDir, engine, blobs, hold, version, onError } = parts
  for (const name of await readdir(dataDir)) {
    if (name.startsWith(DRAFT)) await rm(join(dataDir, name), { recursive: true, force: true })
  }

  /** Everything of one moment, described. Nothing of it is in memory but keys and names. */
  async function collect(folder: string, keys: boolean, signal: AbortSignal) {
    const file = join(folder, DATABASE)
    // A master key that is exchanged meanwhile: values may be sealed under those from before and from after.
    const before = keys ? await readKeys(dataDir) : new Map<string, Buffer>()
    const copy = await engine.upkeep.copyTo(file)
    signal.throwIfAborted()
    const after = keys ? await readKeys(dataDir) : before
    const members: (Member & TarMember)[] = [await fileMember(DATABASE, file, signal)]
    for (const [name, bytes] of merge(before, after)) members.push(bytesMember(name, bytes))
    const { found, missing } = await findBlobs(copy, blobs, signal)
    members.push(...found)
    return { schema: copy.schema, members, missing }
  }

  return {
    async begin(caller, { keys, signal }) {
      const target = { kind: 'tenant', id: OPERATOR_TENANT.id }
      await engine.audit.append(noteOf(caller, 'state.backup', target, { keys }), 'done')
      const created_at = now()
      const release = await hold()
      let folder: string | null = null
      const onEnd = (): void => {
        release()
        const removing = folder === null ? Promise.resolve() : rm(folder, { recursive: true, force: true })
        removing.catch((error: unknown) => onError(error, 'removing what was left of a backup'))
      }
      try {
        folder = await mkdtemp(join(dataDir, DRAFT))
        const { schema, members, missing } = await collect(folder, keys, signal)
        const listed = members.map(({ name, size, sha256 }) => ({ name, size, sha256 }))
        const about = {
          format: 'skillet-backup',
          version: 1,
          skillet: version,
          schema,
          created_at,
          keys,
          missing,
        } as const
        const manifest = jsonMember(MANIFEST, { ...about, members: listed } satisfies Manifest)
        const end = jsonMember(END, { manifest_sha256: manifest.sha256, members: members.length })
        // Loaded for those who ask for one.
        const { tarStream } = await import('./tar-writer.ts')
        return tarStream([manifest, ...members, end], { mtime: new Date(created_at), signal, onEnd })
      } catch (error) {
        onEnd()
        throw error
      }
    },
  }
}

async function readKeys(dataDir: string): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>()
  for (const name of KEY_FILES) {
    const bytes = await readFile(join(dataDir, name)).catch(ifMissing)
    if (bytes !== null) found.set(name, bytes)
  }
  return found
}

/** The keys from after; of master keys also those that were forgotten meanwhile, as known ones. */
function merge(before: ReadonlyMap<string, Buffer>, after: ReadonlyMap<string, Buffer>): Map<string, Buffer> {
  const merged = new Map(after)
  const lines = [after, before].flatMap((keys) => (keys.get(MASTER)?.toString('utf8') ?? '').split(/\s+/))
  const ring = [...new Set(lines.filter((line) => line !== ''))]
  if (ring.length > 0) merged.set(MASTER, Buffer.from(ring.map((line) => `${line}\n`).join('')))
  return merged
}

const MASTER = KEY_FILES[0]

async function findBlobs(copy: StateCopy, blobs: Pick<Blobs, 'localPath'>, signal: AbortSignal) {
  const found: (Member & TarMember)[] = []
  const missing: string[] = []
  for await (const sha256 of copy.blobs()) {
    signal.throwIfAborted()
    const path = await blobs.localPath(sha256).catch(ifMissing)
    if (path === null) missing.push(sha256)
    else found.push({ name: blobPath(sha256), size: (await stat(path)).size, sha256, content: () => chunksOf(path) })
  }
  return { found, missing }
}

async function fileMember(name: Member['name'], path: string, signal: AbortSignal): Promise<Member & TarMember> {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of chunksOf(path)) {
    signal.throwIfAborted()
    hash.update(chunk)
    size += chunk.length
  }
  return { name, size, sha256: hash.digest('hex'), content: () => chunksOf(path) }
}

const chunksOf = (path: string): AsyncIterable<Buffer> => createReadStream(path, { highWaterMark: CHUNK })

const jsonMember = (name: string, value: object): Member & TarMember =>
  bytesMember(name, Buffer.from(JSON.stringify(value)))

function bytesMember(name: string, bytes: Buffer): Member & TarMember {
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return {
    name,
    size: bytes.length,
    sha256,
    async *content() {
      yield bytes
    },
  }
}

function ifMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null
  throw error
}
