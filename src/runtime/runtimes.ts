import { execFile } from 'node:child_process'
import { access, constants, readFile, readdir, realpath, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { RuntimeName } from '../model/packages.ts'
import { SandboxError } from './driver.ts'

/** What skills run on, on this machine. */
export interface Runtimes {
  /** The default Python first, Node last. */
  readonly all: readonly Runtime[]
  /** By its name; `python3` is the default Python. Null when this machine has no such thing. */
  find(name: string): Runtime | null
}

export interface Runtime {
  readonly name: RuntimeName
  /** On the host. A Python's is the same in a sandbox. */
  readonly path: string
  /** The exact one, such as `3.11.2`; asked of the program once, and again when its file has changed. */
  version(): Promise<string>
}

/**
 * Looks at names only, since a server that starts has no time to ask each program for its version.
 * @param options.node The pinned Node.
 * @param options.notes File that keeps versions between starts.
 * @param options.root What sandboxes see of the host; Pythons are looked for in its `bin` and `local/bin`. Default /usr.
 */
export async function findRuntimes(options: {
  readonly node: string
  readonly notes: string
  readonly root?: string
}): Promise<Runtimes> {
  const { node, notes, root = '/usr' } = options
  const folders = [join(root, 'bin'), join(root, 'local/bin')]
  const versionOf = versionReader(notes)
  const runtime = (name: string, path: string): Runtime => ({ name, path, version: () => versionOf(path) })
  const pythons = new Map<string, { readonly path: string; readonly real: string }>()
  for (const folder of folders) {
    for (const name of (await readdir(folder).catch(() => [])).filter((one) => isServed(one)).toSorted()) {
      const real = await seenInside(root, join(folder, name))
      if (real !== null && !pythons.has(name)) pythons.set(name, { path: join(folder, name), real })
    }
  }
  const first = await defaultPython(root, pythons, versionOf)
  const ordered = [...pythons.keys()].toSorted(
    (a, b) => Number(b === first) - Number(a === first) || minor(b) - minor(a),
  )
  const all = [...ordered.map((name) => runtime(name, pythons.get(name)!.path)), runtime('node24', node)]
  return {
    all,
    find: (name) => all.find((one) => one.name === (name === 'python3' ? first : name)) ?? null,
  }
}

/** The Python of that name; the default one where it names another thing, such as Node, or what this machine does not have. */
export function interpreter({ all, find }: Pick<Runtimes, 'all' | 'find'>, name: RuntimeName): string {
  const named = name.startsWith('python') ? find(name) : null
  return (named ?? all.find((one) => one.name.startsWith('python')))?.path ?? '/usr/bin/python3'
}

/**
 * The runtime that something was built for: libraries with compiled parts work with no other.
 * @throws SandboxError when the machine does not have it any more.
 */
export async function presentRuntime(
  { all, find }: Pick<Runtimes, 'all' | 'find'>,
  name: RuntimeName,
): Promise<Runtime> {
  const runtime = find(name)
  if (runtime !== null && (await seen(runtime.path))) return runtime
  throw new SandboxError(
    `The version was built for ${name}, which this machine does not have. It has ${all.map((one) => one.name).join(', ')}.`,
    `Upload the package again and deploy it, which builds it for what there is; or install ${name} and start the server again.`,
  )
}

const seen = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  )

/** Older ones were never tried: the host and the programs that read packages are not written for them. */
const OLDEST_MINOR = 9
const minor = (name: string): number => Number(/^python3\.(\d{1,2})$/.exec(name)?.[1] ?? Number.NaN)
const isServed = (name: string): boolean => minor(name) >= OLDEST_MINOR

/** Where it really lies; null when sandboxes cannot see or start it. */
async function seenInside(root: string, path: string): Promise<string | null> {
  try {
    const real = await realpath(path)
    await access(real, constants.X_OK)
    return real.startsWith(`${root}/`) ? real : null
  } catch {
    return null // A link to nowhere, or a folder that is not for everybody.
  }
}

/** The name of what `python3` stands for. Where that is no link to a versioned one it is asked, and added. */
async function defaultPython(
  root: string,
  pythons: Map<string, { readonly path: string; readonly real: string }>,
  versionOf: (path: string) => Promise<string>,
): Promise<string | null> {
  const path = join(root, 'bin/python3')
  const real = await seenInside(root, path)
  if (real === null) return null
  for (const [name, python] of pythons) if (python.real === real) return name
  const name = `python${(await versionOf(path)).split('.').slice(0, 2).join('.')}`
  if (!isServed(name)) return null
  pythons.set(name, { path, real })
  return name
}

/** Versions by path, size and time of change: asking takes a Python 15 ms and a Node 40. */
function versionReader(notes: string): (path: string) => Promise<string> {
  let known: Promise<Record<string, string>> | null = null
  let saved = Promise.resolve()
  const load = async (): Promise<Record<string, string>> => {
    try {
      return JSON.parse(await readFile(notes, 'utf8')) as Record<string, string>
    } catch {
      return {} // The first start, or one that was cut off: they are asked again.
    }
  }
  return async (path) => {
    const { size, mtimeMs } = await stat(path)
    const key = `${path} ${size} ${Math.floor(mtimeMs)}`
    const versions = await (known ??= load())
    if (versions[key] !== undefined) return versions[key]
    versions[key] = await ask(path)
    await (saved = saved.then(() => save(notes, versions)))
    return versions[key]
  }
}

async function save(notes: string, versions: Readonly<Record<string, string>>): Promise<void> {
  // Beside it and renamed: another server may read it this moment.
  await writeFile(`${notes}.${process.pid}`, JSON.stringify(versions))
  await rename(`${notes}.${process.pid}`, notes)
}

async function ask(path: string): Promise<string> {
  if (path === process.execPath) return process.versions.node
  const { stdout } = await promisify(execFile)(path, ['--version'], { env: {}, cwd: '/' })
  return /\d[\w.+]*/.exec(stdout)?.[0] ?? stdout.trim()
}
