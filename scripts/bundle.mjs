// The sources as JavaScript in a few files instead of hundreds: a server that starts spent most of its time finding and reading them.
import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { ROOT, manifest } from './lib.mjs'

const SRC = join(ROOT, 'src')
const PLACE = 'placeInDist'

/**
 * Dependencies that every server loads when it starts: 180 files otherwise, a quarter of the time that it takes. The others stay where npm
 * installs them.
 */
const BUNDLED = ['@hono/node-server', 'commander', 'hono', 'semver', 'zod']

/** And what lies beside them that is not TypeScript, at the same places. @param {string} dist Where to, as an absolute path; empty. */
export async function bundle(dist) {
  const { build } = await import('esbuild')
  const { outputFiles } = await build({
    entryPoints: entries(),
    outbase: SRC,
    outdir: dist,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    external: Object.keys(manifest.dependencies).filter((name) => !BUNDLED.includes(name)),
    format: 'esm',
    platform: 'node',
    target: 'node24',
    plugins: [{ name: 'places', setup: (on) => on.onLoad({ filter: /\.ts$/ }, load) }],
    write: false,
    logLevel: 'warning',
  })
  for (const { path, text } of outputFiles) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text.includes(PLACE) ? placed(text, relative(dirname(path), dist)) : text)
  }
  writeFileSync(join(dist, 'third-party.txt'), BUNDLED.map(licence).join('\n'))
  cpSync(SRC, dist, { recursive: true, filter: (from) => !/\.ts$|\.pyc$|__pycache__/.test(from) })
}

/** What the package exports, and what is started by its file: the command, threads, processes. */
function entries() {
  const own = readdirSync(SRC, { recursive: true }).filter((file) => /(?<!\.test)\.ts$/.test(file))
  const started = own.flatMap((file) =>
    [...readFileSync(join(SRC, file), 'utf8').matchAll(/workerUrl\(import\.meta\.url, '([^']+)'\)/g)].map(([, path]) =>
      join(dirname(file), `${path}.ts`),
    ),
  )
  return ['server.ts', 'cli/main.ts', 'types/index.ts', ...new Set(started)].map((file) => join(SRC, file))
}

/** Sources find what lies beside them by their own URL, which in a bundle would be the bundle's: they are told where they would lie. */
function load({ path }) {
  const place = relative(SRC, path).split(sep).join('/').replace(/ts$/, 'js')
  const contents = readFileSync(path, 'utf8').replaceAll('import.meta.url', `${PLACE}('${place}')`)
  if (contents.includes('import.meta.')) throw new Error(`${path}: of import.meta the build knows nothing but url.`)
  return { contents, loader: 'ts' }
}

/** A file of the build that can say where modules would lie. @param {string} up From its folder to the build's. */
function placed(text, up) {
  const dist = up === '' ? './' : `${up.split(sep).join('/')}/`
  return `const ${PLACE} = (path) => new URL(path, new URL('${dist}', import.meta.url)).href\n${text}`
}

/** What the licence of a dependency asks for where it is passed on. */
function licence(name) {
  const folder = join(ROOT, 'node_modules', name)
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one))
  if (file === undefined) throw new Error(`${name} has no file with its licence.`)
  return `${name} ${version}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`
}
