import { randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SandboxError } from '../driver.ts'
import { ownerAlive, ownerMark } from './owner.ts'

/** The group that all sandboxes of a root server have: what they may read on the host belongs to it. */
export const SANDBOX_GID = 60_706
/** Numbers that neither Debian nor systemd hand out; the group takes the first. */
const FIRST = 60_707
const LAST = 61_183
/** Of sandboxes of root servers, on the host. */
export const SANDBOX_UIDS = { first: FIRST, last: LAST } as const

/** Hands out host uids so that no two living sandboxes on this machine share one, whichever server made them. */
export interface UidPool {
  /** @throws SandboxError when all are taken. */
  take(): number
  release(uid: number): void
}

/** @param folder Shared by all root servers of the machine. Default `/run/skillet/uids`. */
export function createUidPool(folder = '/run/skillet/uids'): UidPool {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const note = join(folder, `.${ownerMark()}-${randomBytes(4).toString('hex')}`)
  writeFileSync(note, ownerMark(), { mode: 0o600 })
  // Two servers that start anywhere seldom meet.
  let next = FIRST + (process.pid % (LAST - FIRST + 1))
  sweep()

  function sweep(): number {
    let freed = 0
    for (const name of readdirSync(folder)) {
      try {
        // A note has its owner in its name: it may not be written yet.
        if (ownerAlive(name.startsWith('.') ? name.slice(1) : readFileSync(join(folder, name), 'utf8'))) continue
        rmSync(join(folder, name), { force: true })
        freed++
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      }
    }
    return freed
  }

  function tryTake(): number | null {
    for (let i = FIRST; i <= LAST; i++) {
      const uid = next
      next = next === LAST ? FIRST : next + 1
      if (claim(join(folder, String(uid)), note)) return uid
    }
    return null
  }

  return {
    take() {
      const uid = tryTake() ?? (sweep() > 0 ? tryTake() : null)
      if (uid !== null) return uid
      throw new SandboxError(
        `All ${LAST - FIRST + 1} user ids for sandboxes (${FIRST} to ${LAST}) are in use.`,
        'Lower the number of sessions that may be open at once.',
      )
    },
    release(uid) {
      rmSync(join(folder, String(uid)), { force: true })
    },
  }
}

/** By a link to what is written already: a claim that says nothing for a moment would be swept by another server. */
function claim(path: string, note: string): boolean {
  try {
    linkSync(note, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}
