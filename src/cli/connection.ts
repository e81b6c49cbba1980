import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { CliError } from './cli-error.ts'
import { EXIT } from './exit-codes.ts'
import type { Io } from './io.ts'

/** Options of every command that say which server is meant. */
export interface ServerOptions {
  readonly url?: string | undefined
  readonly key?: string | undefined
  readonly keyFile?: string | undefined
  readonly data?: string | undefined
}

/** Whose key is taken from a data folder; `nobody`: for what is answered without one, which is then ''. */
export type KeyHolder = 'owner' | 'operator' | 'nobody'

export interface Connection {
  readonly url: string
  readonly key: string
  /** Where both were found, for people. */
  readonly source: { readonly url: string; readonly key: string }
}

/**
 * Which server to talk to, and with which key: options, then SKILLET_URL and SKILLET_KEY, then the data folder of a server that runs
 * on this machine (--data, SKILLET_DATA, .skillet here or in a parent folder, ~/.skillet).
 * A key found in a data folder is only ever sent to that folder's own server.
 * @param holder Whose key of the data folder is meant, where none is given. Default: the owner's.
 * @throws CliError unreachable when no server is found, refused when there is no key for it
 */
export function findConnection(
  options: ServerOptions,
  io: Pick<Io, 'env' | 'cwd'>,
  holder: KeyHolder = 'owner',
): Connection {
  const key = givenKey(options, io)
  const url = options.url ?? io.env['SKILLET_URL']
  if (url !== undefined)
    return withUrl(url, options.url === undefined ? 'SKILLET_URL' : '--url', key, options, io, holder)
  const folders = dataFolders(options, io)
  for (const folder of folders) {
    const running = runningServer(folder)
    if (running === null) continue
    const mine = key ?? localKey(folder, holder)
    return { url: running, key: mine.value, source: { url: join(folder, 'server.json'), key: mine.source } }
  }
  throw new CliError(EXIT.unreachable, 'No running Skillet server was found.', {
    why: `None has its data in ${folders.join(', ')}.`,
    fix: 'Start one with "skillet serve", or name one with --url or SKILLET_URL, and its key with SKILLET_KEY.',
  })
}

/** Where a local server may keep its data, likeliest first. A folder that was named is the only one. */
function dataFolders(options: Pick<ServerOptions, 'data'>, io: Pick<Io, 'env' | 'cwd'>): string[] {
  const named = options.data ?? io.env['SKILLET_DATA']
  if (named !== undefined) return [resolve(io.cwd, named)]
  const folders: string[] = []
  for (let at = resolve(io.cwd); ; at = dirname(at)) {
    folders.push(join(at, '.skillet'))
    if (dirname(at) === at) break
  }
  return [...new Set([...folders, join(io.env['HOME'] ?? homedir(), '.skillet')])]
}

type Key = { readonly value: string; readonly source: string }
const NO_KEY: Key = { value: '', source: 'none' }

function givenKey(options: ServerOptions, io: Pick<Io, 'env' | 'cwd'>): Key | null {
  if (options.key !== undefined) return { value: options.key, source: '--key' }
  if (options.keyFile !== undefined) {
    const file = resolve(io.cwd, options.keyFile)
    return { value: readKey(file), source: file }
  }
  const value = io.env['SKILLET_KEY']
  return value === undefined ? null : { value, source: 'SKILLET_KEY' }
}

function withUrl(
  url: string,
  source: string,
  key: Key | null,
  options: ServerOptions,
  io: Pick<Io, 'env' | 'cwd'>,
  holder: KeyHolder,
): Connection {
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
    throw new CliError(EXIT.usage, `"${url}" (${source}) is not an http or https URL.`, {
      fix: 'Give it as http://host:port.',
    })
  }
  if (key !== null) return { url, key: key.value, source: { url: source, key: key.source } }
  for (const folder of dataFolders(options, io)) {
    const running = runningServer(folder)
    if (running === null || new URL(running).origin !== new URL(url).origin) continue
    const mine = localKey(folder, holder)
    return { url, key: mine.value, source: { url: source, key: mine.source } }
  }
  if (holder === 'nobody') return { url, key: NO_KEY.value, source: { url: source, key: NO_KEY.source } }
  throw new CliError(EXIT.refused, `There is no key for ${url}.`, {
    fix: 'Put the key into SKILLET_KEY, or into a file and name that with --key-file.',
  })
}

/** The URL in the folder's server.json, if the server that wrote it still runs. */
function runningServer(folder: string): string | null {
  let text: string
  try {
    text = readFileSync(join(folder, 'server.json'), 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // No folder, no server, somebody else's server: look on.
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return null
    throw error
  }
  const { url, pid } = JSON.parse(text) as { url?: unknown; pid?: unknown }
  return typeof url === 'string' && (typeof pid !== 'number' || isAlive(pid)) ? url : null
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function localKey(folder: string, holder: KeyHolder): Key {
  if (holder === 'nobody') return NO_KEY
  const source = join(folder, `${holder}.key`)
  return { value: readKey(source), source }
}

function readKey(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new CliError(EXIT.refused, `The key file ${file} cannot be read.`, {
      why: (error as Error).message,
      fix: 'Run the command as the user who owns the file, or put the key into SKILLET_KEY.',
      cause: error,
    })
  }
}
