import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Extract, extract } from 'tar-stream'
import { BackupInvalid, End, END, MANIFEST, MANIFEST_BYTES, Manifest, type Member } from './backup-format.ts'

type Entry = Extract extends AsyncIterable<infer E> ? E : never

/** Takes what is read, member by member. What it throws ends the reading as it is. */
export interface BackupVisitor {
  /** Before the first member. */
  begin(manifest: Manifest): Promise<void>
  /** The bytes of a member, which are checked at its end only. */
  member(member: Member, bytes: AsyncIterable<Uint8Array>): Promise<void>
}

/**
 * Reads a backup strictly to its end: nothing but what the manifest lists, in its order, with its sizes and checksums.
 * Whoever keeps anything of it must not use it before this resolves.
 * @throws BackupInvalid; what the source or the visitor throws.
 */
export async function readBackup(source: AsyncIterable<Uint8Array>, visitor: BackupVisitor): Promise<Manifest> {
  const tar = extract()
  let sourceFailed: { readonly error: unknown } | null = null
  async function* watched(): AsyncGenerator<Uint8Array, void> {
    const chunks = source[Symbol.asyncIterator]()
    try {
      for (;;) {
        const { value, done } = await chunks.next().catch((error: unknown) => {
          sourceFailed = { error }
          throw error
        })
        if (done === true) return
        yield value
      }
    } finally {
      await chunks.return?.()
    }
  }
  const reading = pipeline(Readable.from(watched(), { objectMode: false }), tar)
  // Its failure ends the iteration over the entries with the same error.
  reading.catch(() => {})
  try {
    const manifest = await readMembers(tar, visitor)
    await reading
    return manifest
  } catch (error) {
    tar.destroy()
    await Promise.allSettled([reading])
    if (sourceFailed !== null) throw (sourceFailed as { error: unknown }).error
    throw error
  }
}

async function readMembers(tar: Extract, visitor: BackupVisitor): Promise<Manifest> {
  const entries = entriesOf(tar)
  const head = await readAll(await next(entries, MANIFEST), MANIFEST_BYTES)
  const manifest = parseManifest(head)
  await visitor.begin(manifest)
  for (const member of manifest.members) {
    const entry = await next(entries, member.name)
    if (entry.header.size !== member.size) throw damaged(`"${member.name}" has another size than its manifest says`)
    const hash = createHash('sha256')
    await visitor.member(member, hashed(entry, hash))
    if (hash.digest('hex') !== member.sha256) throw damaged(`"${member.name}" is not what its manifest says`)
  }
  const end = End.safeParse(parseJson(await readAll(await next(entries, END), 1000)))
  const sha256 = createHash('sha256').update(head).digest('hex')
  if (!end.success || end.data.manifest_sha256 !== sha256 || end.data.members !== manifest.members.length) {
    throw damaged('its end does not belong to its manifest')
  }
  const more = await entries.next()
  if (more.done !== true) throw damaged('something follows its end')
  return manifest
}

/** The next entry, which has to be a regular file of that name. */
async function next(entries: AsyncIterator<Entry>, name: string): Promise<Entry> {
  const { value, done } = await entries.next()
  if (done === true) {
    if (name === MANIFEST) throw foreign('It is empty.')
    throw damaged(`it was cut off: "${name}" should follow`)
  }
  if (value.header.name !== name || value.header.type !== 'file') {
    const found = `It holds ${JSON.stringify(value.header.name.slice(0, 100))} (${value.header.type}) where "${name}" should be.`
    throw name === MANIFEST ? foreign(found) : damaged(found)
  }
  return value
}

/** Errors of the tar format as what they mean here. */
async function* entriesOf(tar: Extract): AsyncGenerator<Entry, void> {
  let any = false
  try {
    for await (const entry of tar) {
      any = true
      yield entry
    }
  } catch (error) {
    throw formatError(error, any)
  }
}

async function* hashed(entry: Entry, hash: { update(bytes: Uint8Array): unknown }): AsyncGenerator<Uint8Array, void> {
  try {
    for await (const chunk of entry as AsyncIterable<Uint8Array>) {
      hash.update(chunk)
      yield chunk
    }
  } catch (error) {
    throw formatError(error, true)
  }
}

function formatError(error: unknown, any: boolean): unknown {
  const { message } = error as Error
  if (message === 'Unexpected end of data') return damaged('it was cut off', error)
  return any ? damaged(`it cannot be read on: ${message}`, error) : foreign(`It is no tar: ${message}`, error)
}

async function readAll(entry: Entry, most: number): Promise<Buffer> {
  const { name, size } = entry.header
  if (size > most) throw damaged(`"${name}" has ${size} bytes`)
  const chunks: Uint8Array[] = []
  for await (const chunk of hashed(entry, { update: () => undefined })) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function parseManifest(bytes: Buffer): Manifest {
  const value = parseJson(bytes)
  const { format, version } = (value ?? {}) as { format?: unknown; version?: unknown }
  if (format !== 'skillet-backup') throw foreign('Its manifest is not one of Skillet.')
  if (typeof version === 'number' && version > 1) {
    throw new BackupInvalid(`The backup has format ${version}; this Skillet knows format 1.`, {
      fix: 'Use the Skillet that made it, or a newer one.',
    })
  }
  const manifest = Manifest.safeParse(value)
  if (manifest.success) return manifest.data
  const [issue] = manifest.error.issues
  throw damaged(`its manifest is wrong at /${issue!.path.join('/')}: ${issue!.message}`)
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return null
  }
}

const damaged = (how: string, cause?: unknown): BackupInvalid =>
  new BackupInvalid(`The backup is damaged: ${how}.`, { cause })
const foreign = (why: string, cause?: unknown): BackupInvalid =>
  new BackupInvalid(`The file is no backup of Skillet. ${why}`, {
    fix: 'Name a file that "skillet backup" made.',
    cause,
  })
