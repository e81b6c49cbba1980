import { z } from 'zod'
import { Instant } from '../model/json.ts'

/*
 * A backup is a tar of these members, in this order: the manifest, what it lists, and the end, without which the file was cut off.
 */
export const MANIFEST = 'manifest.json'
export const END = 'complete.json'

export const DATABASE = 'skillet.db'
/** Keys that the data folder holds, of those that are there. All that is sealed or signed is so with the first two. */
export const KEY_FILES = ['master.key', 'upload.key', 'owner.key', 'operator.key'] as const

/** Where a blob lies, in a backup and in the data folder. */
export const blobPath = (sha256: string): string => `blobs/${sha256.slice(0, 2)}/${sha256.slice(2)}`

const BLOB_PATH = /^blobs\/([0-9a-f]{2})\/([0-9a-f]{62})$/
const Sha256 = z.string().regex(/^[0-9a-f]{64}$/)

/** What a member is called: no other name is ever written to a disk. */
const Name = z.union([z.literal([DATABASE, ...KEY_FILES]), z.string().regex(BLOB_PATH)])

const Member = z
  .strictObject({ name: Name, size: z.number().int().min(0), sha256: Sha256 })
  // A blob is named after what it holds.
  .refine(({ name, sha256 }) => !BLOB_PATH.test(name) || name === blobPath(sha256), 'a blob of another name')
export type Member = z.infer<typeof Member>

export const Manifest = z
  .strictObject({
    format: z.literal('skillet-backup'),
    version: z.literal(1),
    /** Which Skillet made it. */
    skillet: z.string().max(100),
    /** Number of the database's schema. */
    schema: z.number().int().min(1),
    created_at: Instant,
    /** Whether it was made with the keys that the data folder held. */
    keys: z.boolean(),
    /** SHA-256 of blobs that were gone already. */
    missing: z.array(Sha256),
    members: z.array(Member),
  })
  .refine(({ members }) => members[0]?.name === DATABASE, 'it does not begin with the database')
  .refine(({ members }) => new Set(members.map(({ name }) => name)).size === members.length, 'a name comes twice')
export type Manifest = z.infer<typeof Manifest>

/** What the last member holds. */
export const End = z.strictObject({ manifest_sha256: Sha256, members: z.number().int() })

/** Largest manifest that is read, in bytes: of some two million blobs. */
export const MANIFEST_BYTES = 256 * 2 ** 20

/** A file that is no backup, or not a whole and sound one. */
export class BackupInvalid extends Error {
  readonly code = 'backup_invalid'
  readonly fix: string
  constructor(what: string, options: { readonly fix?: string; readonly cause?: unknown } = {}) {
    super(what, { cause: options.cause })
    this.name = 'BackupInvalid'
    this.fix = options.fix ?? 'Take another backup: nothing of this one was used.'
  }
}
