import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Skill } from '../../src/model/skills.ts'
import { cli } from '../support/cli.ts'
import { TestServer, python } from './harness.ts'

const CLI = new URL('../../src/cli/main.ts', import.meta.url).pathname
const ECHO = 'def handler(input: dict) -> dict:\n    return input\n'
const SLOW = 'import time\n\ndef handler(input: dict) -> dict:\n    time.sleep(0.3)\n    return input\n'
const SECRET = 'import os\n\ndef handler(input: dict) -> dict:\n    return {"length": len(os.environ["TOKEN"])}\n'

let root: string
let dataDir: string
let file: string
/** Runs that were acknowledged before the backup began. */
const before: string[] = []

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'skillet-backup-e2e-'))
  dataDir = join(root, 'data')
  file = join(root, 'all.tar')
  const server = await TestServer.start({ dataDir })
  await server.deploy('quick', python('quick', ECHO), { size: 'S' })
  await server.deploy('slow', python('slow', SLOW), { size: 'S' })
  await server.ok('POST', '/api/secrets', { name: 'token', value: 'hunter2hunter2' })
  await server.deploy('secretive', python('secretive', SECRET), { size: 'S', secret_refs: { TOKEN: 'token' } })
  await server.stop()
})
afterAll(() => rm(root, { recursive: true, force: true }))

test('a backup of a busy server, restored, has all that was acknowledged before it began', async () => {
  const child = await serve()
  const stop = new AbortController()
  const load = hammer(child, stop.signal)
  while (before.length < 60) await pause()
  // A long line, so that some of it waits when the backup is taken.
  for (let i = 0; i < 24; i++) before.push(await begin(child, 'slow', { i }))
  const acknowledged = [...before]
  const taken = await cli(['backup', file, '--data', dataDir, '--json'])
  expect(taken).toMatchObject({ code: 0, err: expect.stringContaining('taking a backup') })
  expect(JSON.parse(taken.out)).toMatchObject({ file, keys: true, missing: [] })
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  stop.abort()
  const { uploaded } = await load
  child.process.kill('SIGTERM')
  await once(child.process, 'exit')

  const restored = join(root, 'restored')
  const done = await cli(['restore', file, '--data', restored])
  expect([done.code, done.out]).toEqual([0, expect.stringContaining(`skillet serve --data ${restored}`)])
  expect((await readdir(root)).toSorted()).toEqual(['all.tar', 'data', 'restored'])
  const server = await TestServer.start({ dataDir: restored })
  try {
    expect(server.key).toBe(child.key)
    for (const id of acknowledged) expect(await server.finished(id)).toMatchObject({ id, status: 'succeeded' })
    expect((await server.run('secretive', {})).output).toEqual({ length: 14 })
    await server.deploy('later', python('later', ECHO), { size: 'S' })
    expect((await server.run('later', { a: 1 })).output).toEqual({ a: 1 })
    const skills = (await server.ok<{ items: Skill[] }>('GET', '/api/skills')).items
    expect(skills.map(({ name }) => name)).toEqual(expect.arrayContaining(['quick', 'slow', 'secretive']))
    for (const who of [[], ['--operator']]) {
      expect(await cli(['audit', 'verify', ...who, '--data', restored])).toMatchObject({ code: 0 })
    }
    const log = await cli(['audit', 'list', '--operator', '--data', restored, '--json'])
    expect(log.out).toContain('"state.backup"')
    expect(await readdir(restored)).not.toContainEqual(expect.stringMatching(/^backup-/))
  } finally {
    await server.stop()
  }
  expect(uploaded).toBeGreaterThan(0)
})

test('a backup goes nowhere else than into a new file, and is for operators alone', async () => {
  const server = await TestServer.start({ dataDir })
  try {
    const again = await cli(['backup', file, '--data', dataDir])
    expect(again).toMatchObject({ code: 2, err: expect.stringContaining('There is such a file already') })
    const mine = await cli(['backup', join(root, 'mine.tar'), '--url', server.url], {
      env: { SKILLET_KEY: server.key },
    })
    expect(mine).toMatchObject({ code: 4, err: expect.stringContaining('may not do that') })
    const bare = await cli(['backup', join(root, 'bare.tar'), '--without-keys', '--data', dataDir])
    expect([bare.code, bare.out]).toEqual([0, expect.stringContaining('It holds no keys')])
    expect(await readdir(root)).not.toContainEqual(expect.stringMatching(/mine|\.part$/))
    // Nor into the folder of a server that runs.
    const inUse = await cli(['restore', join(root, 'bare.tar'), '--data', dataDir])
    expect(inUse).toMatchObject({ code: 1, err: expect.stringContaining(`"${dataDir}" is not empty`) })
  } finally {
    await server.stop()
  }
})

test('a backup without keys is opened by the master key that is kept elsewhere', async () => {
  const restored = join(root, 'without-keys')
  const done = await cli(['restore', join(root, 'bare.tar'), '--data', restored])
  expect([done.code, done.out]).toEqual([0, expect.stringContaining('SKILLET_MASTER_KEY')])
  const masterKey = await readFile(join(dataDir, 'master.key'), 'utf8')
  const server = await TestServer.start({ dataDir: restored, masterKey: masterKey.trim() })
  try {
    const key = readFileSync(join(dataDir, 'owner.key'), 'utf8').trim()
    const path = '/api/skills/secretive/stages/dev/invoke'
    const headers = { prefer: 'wait=60', authorization: `Bearer ${key}` }
    expect((await server.call('POST', path, { input: {} }, headers)).body).toMatchObject({ output: { length: 14 } })
  } finally {
    await server.stop()
  }
})

test.each([
  ['cut off', async (copy: string) => truncate(copy, 200_000), 'it was cut off'],
  ['of something else', async (copy: string) => writeFile(copy, 'hello'.repeat(1000)), 'is no backup of Skillet'],
])('a file that is %s is refused, and nothing is left of it', async (_, spoil, said) => {
  const copy = join(root, 'spoilt.tar')
  await writeFile(copy, await readFile(file))
  await spoil(copy)
  const refused = await cli(['restore', copy, '--data', join(root, 'never'), '--json'])
  expect(refused).toMatchObject({ code: 1, out: '' })
  const { error } = JSON.parse(refused.err.split('\n').find((line) => line.startsWith('{'))!) as { error: object }
  expect(error).toMatchObject({ code: 'backup_invalid', detail: expect.stringContaining(said) })
  expect(await readdir(root)).not.toContainEqual(expect.stringContaining('never'))
})

test.each([
  [['restore', 'all.tar'], 2, 'No data folder is named'],
  [['restore', 'nothing.tar', '--data', 'x'], 1, 'Name the file of a backup'],
  [['backup', 'x.tar', '--data', 'nowhere'], 3, 'No running Skillet server was found'],
])('%j', async (args, code, said) => {
  expect(await cli(args, { cwd: root })).toMatchObject({ code, err: expect.stringContaining(said) })
})

interface Served {
  readonly process: ChildProcess
  readonly url: string
  readonly key: string
}

async function serve(): Promise<Served> {
  const child = spawn(process.execPath, [CLI, 'serve', '--port', '0', '--log', 'off', '--data', dataDir], {
    stdio: 'ignore',
  })
  const info = join(dataDir, 'server.json')
  for (;;) {
    if (child.exitCode !== null) throw new Error(`The server ended with ${child.exitCode}.`)
    if (existsSync(info)) {
      const { pid, url } = JSON.parse(readFileSync(info, 'utf8')) as { pid: number; url: string }
      const key = readFileSync(join(dataDir, 'owner.key'), 'utf8').trim()
      if (pid === child.pid) return { process: child, url, key }
    }
    await pause()
  }
}

async function call<T>({ url, key }: Served, method: string, path: string, body: object): Promise<T> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const answer = await fetch(new URL(path, url), { method, headers, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as T
}

async function begin(child: Served, skill: string, input: object): Promise<string> {
  const { run_id } = await call<{ run_id: string }>(child, 'POST', `/api/skills/${skill}/stages/dev/invoke`, { input })
  return run_id
}

/** Callers and uploaders, until they are told to stop. */
async function hammer(child: Served, signal: AbortSignal): Promise<{ uploaded: number }> {
  let uploaded = 0
  const callers = [1, 2, 3].map(async (caller) => {
    for (let i = 0; !signal.aborted; i++) {
      before.push(await begin(child, 'quick', { caller, i }))
      await pause()
    }
  })
  const uploader = async (): Promise<void> => {
    for (; !signal.aborted; uploaded++) {
      const body = Buffer.alloc(300_000, `no zip ${uploaded}`)
      const sha256 = createHash('sha256').update(body).digest('hex')
      const path = '/api/skills/quick/stages/dev/uploads'
      const ticket = await call<{ url: string; headers: Record<string, string> }>(child, 'POST', path, {
        size: body.length,
        sha256,
      })
      const put = await fetch(ticket.url, { method: 'PUT', headers: ticket.headers, body })
      if (put.status !== 202) throw new Error(`PUT: ${put.status} ${await put.text()}`)
      await pause()
    }
  }
  await Promise.all([...callers, uploader()])
  return { uploaded }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10))
