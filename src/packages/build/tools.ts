import { access } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Programs that builds use. */
export interface Tools {
  readonly uvPath: string
  /** `bin/npm-cli.js`. */
  readonly npmPath: string
  readonly nodePath: string
}

/** Of the project, or of the installed package: `src` and `dist` lie alike in it. */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

/**
 * npm is a dependency: that of the machine may be of any age, and Debian's is spread over the system. uv is named by SKILLET_UV, else
 * it is looked for in the project's own tool folder and then on the PATH; one that is missing is no fault before it is needed.
 */
export async function findTools(env: NodeJS.ProcessEnv = process.env): Promise<Tools> {
  const uv = env['SKILLET_UV'] ?? (await firstOf([join(ROOT, '.tools/uv/bin/uv'), ...onPath('uv', env)]))
  const npm = createRequire(import.meta.url).resolve('npm/package.json')
  return { uvPath: uv ?? 'uv', npmPath: join(dirname(npm), 'bin', 'npm-cli.js'), nodePath: process.execPath }
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
