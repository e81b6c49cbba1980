import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RuntimeName } from '../../model/packages.ts'
import type { ToolSpec } from '../../runtime/driver.ts'
import type { ToolFiles } from '../../runtime/tool-files.ts'

export type Program = 'python' | 'node'

/** How the programs that read code are started in a sandbox. */
export const INSPECTORS: Record<
  Program,
  (files: ToolFiles, runtime: RuntimeName) => Promise<Pick<ToolSpec, 'argv' | 'binds'>>
> = {
  async python(files, runtime) {
    const source = await files.exposePython(fileURLToPath(new URL('python', import.meta.url)))
    const python = files.python(runtime)
    return { argv: [python, '-I', '-S', '-B', '/opt/inspect'], binds: [{ source, target: '/opt/inspect' }] }
  },
  async node(files) {
    const parser = dirname(createRequire(import.meta.url).resolve('oxc-parser/package.json'))
    const binds = [
      { source: files.node, target: '/opt/node' },
      { source: await files.expose(fileURLToPath(new URL('node', import.meta.url))), target: '/opt/inspect' },
      { source: await files.expose(parser), target: '/opt/node_modules/oxc-parser' },
    ]
    for (const [name, folder] of parserBindings(parser)) {
      binds.push({ source: await files.expose(folder), target: `/opt/node_modules/${name}` })
    }
    return { argv: ['/opt/node', ...BY_NAME, '--max-old-space-size=300', '/opt/inspect/main.mjs'], binds }
  },
}

/**
 * Without a sandbox the folders in `/opt` are links, and may lead to copies with no `node_modules` above them: what is imported is looked for
 * beside the links.
 */
const BY_NAME = ['--preserve-symlinks', '--preserve-symlinks-main']

/** The parser's compiled part for this machine. */
function parserBindings(parser: string): [string, string][] {
  const require = createRequire(join(parser, 'package.json'))
  const found = ['-gnu', '-musl', ''].flatMap((libc): [string, string][] => {
    const name = `@oxc-parser/binding-${process.platform}-${process.arch}${libc}`
    try {
      return [[name, dirname(require.resolve(`${name}/package.json`))]]
    } catch {
      return []
    }
  })
  const installed = found.filter(([, folder]) => existsSync(folder))
  if (installed.length === 0) {
    throw new Error(
      `oxc-parser has no binding for ${process.platform}-${process.arch} in node_modules; run "npm ci" on this machine.`,
    )
  }
  return installed
}
