import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** What the sandboxes of a data folder are, and what they may have left behind. */
export interface Leftovers {
  /** Ids of processes that see a folder of this server as a mount of their own: its sandboxes, and nothing else. */
  processes(): number[]
  /** Lines of /proc/mounts. */
  mounts(): string[]
  /** Control groups that carry the name of one of the places. */
  groups(): string[]
}

export function leftoversOf(dataDir: string): Leftovers {
  /** The data folder, and where a root server keeps what the sandboxes of this data folder see. */
  function places(): string[] {
    const root = '/var/lib/skillet'
    const names = existsSync(root) ? readdirSync(root) : []
    const ours = names.filter((name) => dataFolderOf(join(root, name)) === dataDir)
    return [dataDir, ...ours.map((name) => join(root, name))]
  }

  return {
    processes() {
      const folders = places()
      return readdirSync('/proc')
        .filter((pid) => /^\d+$/.test(pid) && folders.some((folder) => mountsOf(pid).includes(folder)))
        .map(Number)
    },

    mounts: () =>
      readFileSync('/proc/mounts', 'utf8')
        .split('\n')
        .filter((line) => places().some((place) => line.includes(place))),

    groups() {
      const names = places().map((place) => place.split('/').at(-1)!)
      const roots = ['/sys/fs/cgroup/memory', '/sys/fs/cgroup/pids', '/sys/fs/cgroup'].filter((root) =>
        existsSync(root),
      )
      return roots.flatMap(foldersIn).filter((path) => names.some((name) => path.includes(name)))
    },
  }
}

/** All of them, at any depth. Those of others come and go meanwhile. */
function foldersIn(root: string): string[] {
  const own = namesIn(root).map((name) => join(root, name))
  return own.flatMap((folder) => [folder, ...foldersIn(folder)])
}

function namesIn(root: string): string[] {
  try {
    return readdirSync(root, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function mountsOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
  } catch {
    return '' // it has ended since
  }
}

function dataFolderOf(place: string): string | null {
  const file = join(place, 'data-folder')
  return existsSync(file) ? readFileSync(file, 'utf8') : null
}
