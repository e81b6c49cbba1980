import { access, realpath } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'

/** Programs of this machine that builds use. */
export interface Tools {
  readonly uvPath: string
  /** `bin/npm-cli.js`. */
  readonly npmPath: string
  readonly nodePath: string
}

const ROOT = dirname(import.meta.dirname)

/**
 * SKILLET_UV and SKILLET_NPM name them, else they are looked for: uv in the project's own tool folder and then on the PATH.
 * One that is missing is no fault yet: packages without dependencies need none.
 */
export async function findTools(env: NodeJS.ProcessEnv = process.env): Promise<Tools> {
  const uv = env['SKILLET_UV'] ?? (await firstOf([join(ROOT, '.tools/uv/bin/uv'), ...onPath('uv', env)]))
  const npm = env['SKILLET_NPM'] ?? env['npm_execpath'] ?? (await firstOf(onPath('npm', env)))
  return { uvPath: uv ?? 'uv', npmPath: npm === null ? 'npm' : await realpath(npm), nodePath: process.execPath }
}

function onPath(name: string, env: NodeJS.ProcessEnv): string[] {
  return (env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, name))
}

async function firstOf(paths: readonly string[]): Promise<string | null> {
  for (const path of paths) {
    const found = await access(path).then(
      () => true,
      () => false,
    )
    if (found) return path
  }
  return null
}
