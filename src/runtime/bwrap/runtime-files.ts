import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, constants, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { access, chmod, copyFile, link, readdir, rename, rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Runtimes, findRuntimes, interpreter } from '../runtimes.ts'
import { compilePrograms } from './compiled-programs.ts'
import { seccompProgram } from './seccomp.ts'

/** Host paths of what sandboxes run on. */
export interface RuntimeFiles {
  readonly node: string
  /** Folder with the programs that serve in sandboxes. */
  readonly hosts: string
  /** File name, in `hosts`, of a program of ours for a Python. */
  program(name: 'python_host' | 'open_ports', python: string): string
  /** What skills may run on. */
  readonly runtimes: Runtimes
  /** The default Python, which runs what is ours. */
  readonly python: string
  /** Folder seen as /etc. */
  readonly etc: string
  /** By the strength of the limits. */
  readonly seccomp: Readonly<Record<'hard' | 'soft', string>>
  /** Resolves when nothing is made any more, so that the folder may go. */
  settled(): Promise<void>
}

/**
 * Puts what sandboxes run on where they can reach it. Small files are written without yielding: it takes a tenth of the time, and a server
 * that starts serves nobody yet. Node, which is 120 MB, is used where it lies if other users can get there,
 * else linked, else copied; the rest is small and copied when its contents changed.
 */
export async function installRuntime(folder: string, otherUsers: boolean): Promise<RuntimeFiles> {
  const names = new Set<string>()
  const keep = async (name: string, make: (path: string) => Promise<void> | void): Promise<string> => {
    names.add(name)
    const path = join(folder, name)
    if (!existsSync(path)) await replace(path, make)
    return path
  }
  const original = await nodeBinary()
  let node = original
  if (otherUsers && !reachableForOthers(original)) {
    const { size, mtimeMs } = await stat(original)
    node = await keep(`node-${size}-${Math.floor(mtimeMs)}`, async (path) => {
      await link(original, path).catch(() => copyFile(original, path, constants.COPYFILE_FICLONE))
      if (((await stat(path)).mode & 0o005) !== 0o005) await chmod(path, 0o755)
    })
  }
  const hosts = readHosts()
  const filter = (strength: 'hard' | 'soft'): Promise<string> => {
    const program = seccompProgram(strength)
    return keep(`seccomp-${digest({ program: program.toString('hex') })}`, (path) => writeOpen(path, program))
  }
  const [hostsFolder, etcFolder, hard, soft, runtimes] = await Promise.all([
    keep(`hosts-${digest(hosts)}`, (path) => writeAll(path, hosts)),
    keep(`etc-${digest(ETC)}`, (path) => {
      writeAll(path, ETC)
      for (const mountPoint of ['ssl/certs', 'alternatives', 'pki/tls/certs', 'pki/ca-trust/extracted'])
        openFolder(join(path, mountPoint))
    }),
    filter('hard'),
    filter('soft'),
    findRuntimes({ node, notes: join(folder, 'versions.json') }),
  ])
  const programs = compilePrograms(hostsFolder)
  // Earlier releases' files: sandboxes that still have them mounted keep them. Other things in here have other keepers.
  for (const name of await readdir(folder)) {
    if (!names.has(name) && OURS.test(name)) await rm(join(folder, name), { recursive: true, force: true })
  }
  return {
    node,
    hosts: hostsFolder,
    program: programs.name,
    runtimes,
    python: interpreter(runtimes, 'python3'),
    etc: etcFolder,
    seccomp: { hard, soft },
    settled: programs.settled,
  }
}

const MAKING = '.making-'
const OURS = /^(node|hosts|etc|seccomp)-/
const HOSTS = ['python_host.py', 'open_ports.py', 'node_host.mjs', 'probes.py']
const ETC: Readonly<Record<string, string>> = {
  passwd: 'skill:x:1000:1000:skill:/tmp:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n',
  group: 'skill:x:1000:\nnogroup:x:65534:\n',
  // With its own name, which many programs look up.
  hosts: '127.0.0.1 localhost skillet\n::1 localhost\n',
  'resolv.conf': 'nameserver 127.0.0.1\noptions timeout:5 attempts:2\n',
  'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n',
  services: 'domain 53/tcp\ndomain 53/udp\nhttp 80/tcp\nhttps 443/tcp\n',
  protocols: 'tcp 6 TCP\nudp 17 UDP\n',
  // Mount points.
  'ld.so.cache': '',
  'ssl/openssl.cnf': '',
}

/** The pinned Node: the server's own when it runs on it, else the one among the dependencies. */
async function nodeBinary(): Promise<string> {
  if (process.versions.node.startsWith('24.')) return process.execPath
  const manifest = createRequire(import.meta.url).resolve('node/package.json')
  const binary = join(dirname(manifest), 'bin', 'node')
  await access(binary, constants.X_OK)
  return binary
}

function readHosts(): Record<string, string> {
  const folder = fileURLToPath(new URL('../hosts/', import.meta.url))
  return Object.fromEntries(HOSTS.map((name) => [name, readFileSync(join(folder, name), 'utf8')]))
}

function reachableForOthers(file: string): boolean {
  if ((statSync(file).mode & 0o005) !== 0o005) return false
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false
    if (folder === dirname(folder)) return true
  }
}

function writeAll(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    openFolder(dirname(join(folder, name)))
    writeOpen(join(folder, name), text)
  }
}

/** Modes are set, not left to the umask: sandboxes must be able to read it. */
function writeOpen(path: string, contents: string | Uint8Array): void {
  writeFileSync(path, contents)
  chmodSync(path, 0o644)
}

function openFolder(path: string): void {
  mkdirSync(path, { recursive: true })
  chmodSync(path, 0o755)
}

/** Makes it beside and renames: two servers that start at once do not see halves. */
async function replace(path: string, make: (path: string) => Promise<void> | void): Promise<void> {
  const making = join(dirname(path), MAKING + randomBytes(6).toString('hex'))
  await make(making)
  try {
    await rename(making, path)
  } catch (error) {
    await rm(making, { recursive: true, force: true })
    if (!existsSync(path)) throw error
  }
}

const digest = (files: Readonly<Record<string, string>>): string =>
  createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 16)
