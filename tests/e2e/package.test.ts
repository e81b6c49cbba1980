import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { install } from '../../scripts/installed.mjs'

/** What a stranger has who ran `npm install skillet` in an empty folder. */
let folder: string
let bin: string
let data: string
let server: ChildProcess
/** URLs of what it had loaded when it said that it serves. */
let loaded: string[]

const NOTE = `
import { appendFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
registerHooks({
  load(url, context, next) {
    appendFileSync(new URL('loaded', import.meta.url), url + '\\n')
    return next(url, context)
  },
})`

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skillet-package-'))
  bin = await install(folder)
  data = join(folder, 'data')
  const note = join(folder, 'note.mjs')
  await writeFile(note, NOTE)
  server = spawn(process.execPath, ['--import', note, bin, 'serve', '--port', '0', '--data', data], {
    stdio: ['ignore', 'pipe', 'ignore'],
    // A stranger has none of the clone's.
    env: { ...process.env, NODE_COMPILE_CACHE: undefined },
  })
  // It says where it serves when it does.
  await once(server.stdout!, 'data')
  loaded = (await readFile(join(folder, 'loaded'), 'utf8')).trim().split('\n')
})

afterAll(async () => {
  if (server.exitCode === null) {
    server.kill('SIGTERM')
    await once(server, 'exit')
  }
  await rm(folder, { recursive: true, force: true })
})

const skillet = async (...args: string[]): Promise<string> => {
  const { stdout } = await promisify(execFile)(process.execPath, [bin, ...args], { cwd: folder })
  return stdout
}

describe('the package as npm packs it, installed into an empty folder', () => {
  test.each(['python', 'typescript'])('makes, checks, builds, deploys and runs a %s skill', async (format) => {
    await skillet('init', format, `a-${format}`)
    await skillet('deploy', `a-${format}`, '--yes', '--data', data)
    const input = `@a-${format}/sample-input.json`
    const run: unknown = JSON.parse(await skillet('invoke', `a-${format}`, '--input', input, '--json', '--data', data))
    expect(run).toMatchObject({ status: 'succeeded' })
  })

  test('has everything that is started or read by its place, although its modules lie in a few files', async () => {
    const dist = join(folder, 'node_modules/skillet/dist')
    const text = (
      await Promise.all(
        readdirSync(dist, { recursive: true, encoding: 'utf8' })
          .filter((file) => file.endsWith('.js'))
          .map((file) => readFile(join(dist, file), 'utf8')),
      )
    ).join('\n')
    const started = [...text.matchAll(/workerUrl\(placeInDist\("([^"]+)"\), "([^"]+)"\)/g)]
    const read = [...text.matchAll(/new URL\("([^"]+)", placeInDist\("([^"]+)"\)\)/g)]
    const paths = [
      ...started.map(([, from, path]) => join(dist, dirname(from!), `${path}.js`)),
      ...read.map(([, path, from]) => join(dist, dirname(from!), path!)),
    ]
    expect([started.length, read.length].every((count) => count > 3)).toBe(true)
    expect(paths.filter((path) => !existsSync(path) && !path.endsWith('.tools'))).toEqual([])
  })

  test('finds all that a start needs in few files: each costs a start half a millisecond', () => {
    const files = loaded.filter((url) => url.startsWith('file:'))
    expect(files.length).toBeGreaterThan(10)
    expect(files.length).toBeLessThan(120)
  })

  test('says its version, and has no sources', async () => {
    const { version } = JSON.parse(await readFile(join(folder, 'node_modules/skillet/package.json'), 'utf8')) as {
      version: string
    }
    expect(await skillet('--version')).toBe(`${version}\n`)
    expect(existsSync(join(folder, 'node_modules/skillet/src'))).toBe(false)
  })

  test('keeps what was compiled in its own folder, where it may write there', () => {
    expect(existsSync(join(folder, 'node_modules/skillet/.tools/compile-cache'))).toBe(true)
  })
})
