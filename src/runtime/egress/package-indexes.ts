import { execFile } from 'node:child_process'
import { isIP } from 'node:net'
import type { NetworkEntry } from '../../model/network.ts'
import type { LearntNames } from './egress.ts'
import { createFileHosts, networkEntry } from './file-hosts.ts'

/** Where packages come from, and what has to be reachable for that. */
export interface PackageIndex {
  readonly url: string
  readonly network: readonly NetworkEntry[]
  /** Those of `network` that the index named, and not the operator. */
  readonly learnt?: LearntNames | undefined
}

/** Each is found out when it is first needed, and kept; where the files of a package lie for an hour. @throws when it cannot be found out; the message is for people. */
export interface PackageIndexes {
  /** @param names Packages that are going to be installed: the index is asked where the files of one of them lie. */
  python(names: readonly string[]): Promise<PackageIndex>
  node(names: readonly string[]): Promise<PackageIndex>
}

export interface PackageIndexesOptions {
  readonly uvPath: string
  /** `bin/npm-cli.js`. */
  readonly npmPath: string
  /** To run npm with. */
  readonly nodePath: string
  /** Default: the server's. */
  readonly env?: NodeJS.ProcessEnv
}

/**
 * The operator's package indexes, as this machine's own clients know them: for Python UV_DEFAULT_INDEX, UV_INDEX_URL or PIP_INDEX_URL,
 * else what uv itself uses; for npm its `registry` setting. Files of a Python index may lie on other hosts, which the index
 * names; npm takes all tarballs from the registry's host (replace-registry-host).
 */
export function createPackageIndexes(options: PackageIndexesOptions): PackageIndexes {
  const env = options.env ?? process.env
  const pythonUrl = kept(async () => {
    const set = env['UV_DEFAULT_INDEX'] || env['UV_INDEX_URL'] || env['PIP_INDEX_URL']
    if (set) return checked(set, 'The environment')
    const asking = ['pip', 'compile', '-', '--emit-index-url', '--offline', '--quiet', '--no-header']
    const said = await run(options.uvPath, asking, env)
    const url = /^--(?:default-)?index(?:-url)?[ =](\S+)/m.exec(said)?.[1]
    if (!url) throw new Error('uv did not say which package index it uses; set UV_DEFAULT_INDEX for the server.')
    return checked(url, 'uv')
  })
  const nodeUrl = kept(async () => {
    const said = await run(options.nodePath, [options.npmPath, 'config', 'get', 'registry', '--no-workspaces'], env)
    return checked(said.trim(), 'npm')
  })
  const fileHosts = createFileHosts()
  return {
    async python(names) {
      const url = await pythonUrl()
      return reachable(url, await fileHosts(url, names))
    },
    node: async () => reachable(await nodeUrl(), []),
  }
}

function reachable(url: URL, files: readonly NetworkEntry[]): PackageIndex {
  const names = files.map(({ name }) => name).filter((name) => name !== url.hostname)
  return { url: url.href, network: [networkEntry(url), ...files], learnt: { from: url.hostname, names } }
}

function checked(text: string, from: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url?.protocol !== 'https:') {
    throw new Error(`${from} names a package index that is not at an https address; builds reach no other.`)
  }
  if (url.hostname === 'localhost' || isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0) {
    throw new Error(`${from} names a package index by "${url.hostname}"; builds reach one that has a name only.`)
  }
  if (url.username || url.password) {
    throw new Error(
      `${from} names a package index with a password in its URL; builds run tenants' code, which could read it.`,
    )
  }
  return url
}

function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(file, args, { cwd: '/', env, timeout: 30_000 }, (error, stdout) => {
      if (error)
        reject(
          new Error(
            `"${args.at(0)}" of ${file.split('/').at(-1)} failed with ${error.code ?? error.signal ?? error.message}`,
            { cause: error },
          ),
        )
      else resolve(stdout)
    })
    child.stdin?.end()
  })
}

/** Found out once; a failure is not kept. */
function kept<T>(find: () => Promise<T>): () => Promise<T> {
  let found: Promise<T> | null = null
  return () => {
    found ??= find().catch((error: unknown) => {
      found = null
      throw error
    })
    return found
  }
}
