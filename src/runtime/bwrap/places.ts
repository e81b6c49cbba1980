import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { chmod, chown, mkdir, readdir, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ownerAlive, ownerMark } from './owner.ts'
import { requireRootCapabilities } from './root-capabilities.ts'
import { type RuntimeFiles, installRuntime } from './runtime-files.ts'
import { SANDBOX_GID } from './uids.ts'

/** The folders that a server shares with its sandboxes. */
export interface Places {
  readonly root: string
  /** Unpacked bundles by digest; kept between starts. */
  readonly bundles: string
  /** For packages under validation; emptied at the end and after a crash. What is made in it is readable for sandboxes. */
  readonly staging: string
  /** What sandboxes run on: Node, the hosts, their `/etc`. */
  readonly runtime: string
  readonly files: RuntimeFiles
  /** Stands for the data folder in names of cgroups. */
  readonly key: string
  /** Group of everything in here, when sandboxes run as other users than the server. */
  readonly gid: number | null
  /** Removes what belongs to this process only. May be called twice. */
  close(): Promise<void>
}

/**
 * Makes the folders, and removes what servers that are gone left in them. A root server drops its sandboxes to other users, who
 * cannot pass through a folder such as /root: its places are under /var/lib/skillet, readable for one group and nobody else.
 * @param options.root Where instead.
 * @throws SandboxError when the server is root without what that needs.
 */
export async function openPlaces(dataDir: string, options: { root?: string } = {}): Promise<Places> {
  await mkdir(dataDir, { recursive: true })
  const data = await realpath(dataDir)
  const key = createHash('sha256').update(data).digest('hex').slice(0, 16)
  const gid = process.getuid!() === 0 ? SANDBOX_GID : null
  if (gid !== null) requireRootCapabilities()
  if (gid !== null) await sweepVanished()
  const root = options.root ?? (gid === null ? join(data, 'sandbox') : join(SYSTEM_ROOT, key))

  await folder(root, gid === null ? 0o700 : 0o711, null)
  await note(root, data)
  const bundles = join(root, 'bundles')
  const runtime = join(root, 'runtime')
  await folder(bundles, gid === null ? 0o700 : SHARED, gid)
  await folder(runtime, gid === null ? 0o700 : SHARED, gid)
  await folder(join(root, 'staging'), gid === null ? 0o700 : SHARED, gid)
  for (const mark of await readdir(join(root, 'staging'))) {
    if (!ownerAlive(mark)) await rm(join(root, 'staging', mark), { recursive: true, force: true })
  }
  const staging = join(root, 'staging', ownerMark())
  await folder(staging, gid === null ? 0o700 : SHARED, gid)
  const files = await installRuntime(runtime, gid !== null)
  return {
    root,
    bundles,
    runtime,
    staging,
    files,
    key,
    gid,
    async close() {
      await files.settled()
      await rm(staging, { recursive: true, force: true })
    },
  }
}

const SYSTEM_ROOT = '/var/lib/skillet'
/** Places are named after keys. */
const PLACE = /^[0-9a-f]{16}$/
/** Names the data folder that a place serves, so that a place whose data folder is gone can be told. */
const DATA_FOLDER = 'data-folder'
/** Set-group-id: what is made inside belongs to the same group, whoever makes it. Nothing for others. */
const SHARED = 0o2750

async function folder(path: string, mode: number, gid: number | null): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o711 })
  // Changing the group clears the set-group-id bit: mode last. The mode of mkdir is cut by the umask.
  if (gid !== null) await chown(path, 0, gid)
  await chmod(path, mode)
}

async function sweepVanished(): Promise<void> {
  await folder(SYSTEM_ROOT, 0o711, null)
  // Looked at without yielding, as nobody is served yet: it takes a tenth of the time.
  for (const name of readdirSync(SYSTEM_ROOT)) {
    // Whatever else lies there is not ours: an operator may keep the data folder itself in it.
    if (!PLACE.test(name)) continue
    const place = join(SYSTEM_ROOT, name)
    const data = noteIn(place)
    if (data === null ? isNew(place) : existsSync(data)) continue
    const marks = await readdir(join(place, 'staging')).catch(() => [])
    // A server whose data folder was removed under it still runs its sandboxes from here.
    if (marks.some(ownerAlive)) continue
    // A server that starts, or one that is just ending, may still write there: the rest goes at the next start.
    await rm(place, { recursive: true, force: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY') throw error
    })
  }
}

/** Whole or not at all: another server that starts must not take half a path for that of a data folder that is gone. */
async function note(place: string, data: string): Promise<void> {
  if (noteIn(place) === data) return
  const file = join(place, DATA_FOLDER)
  await writeFile(`${file}.new`, data)
  await rename(`${file}.new`, file)
}

/** The data folder that it serves. */
function noteIn(place: string): string | null {
  try {
    return readFileSync(join(place, DATA_FOLDER), 'utf8') || null
  } catch {
    return null
  }
}

/** Without its note a place is being made this moment, or was left half removed. */
function isNew(place: string): boolean {
  const mtimeMs = statSync(place, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()
  return Date.now() - mtimeMs < 60_000
}
